"""Who may do what: each operation of the API, the roles that it is open to, and how it keeps to a caller's enterprises.

What is not listed is open to nobody. A bearer token of the main file has a role as well, an administrator's unless it
says another.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, get_args

from service.accounts import Role, Scope

EVERYBODY = frozenset(Role)
OFFICERS = frozenset({Role.DUTY_OFFICER, Role.SUPERVISOR, Role.ADMINISTRATOR})
SUPERVISORS = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})
ENGINEERS = frozenset({Role.ENGINEER, Role.ADMINISTRATOR})
STAFF = EVERYBODY - {Role.VIEWER}
"""Everybody but a wall screen: contacts, the journal, files, limits."""
AUTHORITY = STAFF - {Role.ENTERPRISE}
"""Those who watch, and not those who are watched: messages, evidence, the configuration."""
BOTH_SIDES = OFFICERS | {Role.ENTERPRISE}
"""Of an incident."""
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})

OPEN = frozenset({"get_health", "get_openapi", "get_metrics", "use_acknowledge_code", "begin_session"})
"""Operations that ask nobody who he is."""
BEFORE_THE_PASSWORD = frozenset({"get_session", "change_password", "end_session"})
"""What is possible with a password that was given out and is not changed yet."""

_GROUPS: Mapping[frozenset[Role], str] = {
    EVERYBODY: """
        change_password end_session get_session get_alarm get_card get_incident get_incident_response
        get_samples get_sound get_watch list_alarm_cards list_alarms list_cards list_desks list_drills
        list_drill_scenarios list_enterprises list_gateways list_incidents list_maintenance list_suppressed list_tags
        get_enterprise_online list_enterprises_online get_map get_site_plan_image list_site_plans list_watch_alarms
        live search
    """,
    STAFF: """
        begin_codes confirm_codes end_codes sign_act get_attachment get_bad_actors get_change get_key_figures
        get_kpi_report get_kpi_table list_changes list_contacts list_journal list_plans list_quarantine list_rosters
        list_tuning_rules preview_rules
    """,
    AUTHORITY: """
        check_config check_contacts export_contacts get_drill_report get_drill_report_page get_evidence
        get_handover get_message get_revision list_call_backs list_channels list_documents list_handovers list_messages
        list_revisions
    """,
    BOTH_SIDES: """
        acknowledge_incident attach_to_incident comment_alarm comment_incident feed_back_incident handle_incident
    """,
    OFFICERS: """
        acknowledge_alarm acknowledge_selection archive_incident close_incident
        confirm_verification decide_incident declare_accident
        finish_call_back link_incident make_handover mark_presence prove_second reject_verification report_accident
        reset_alarm resume_sound review_incident shelve_alarm sign_handover silence_sound unlink_incident unshelve_alarm
        verify_incident withdraw_accident
    """,
    SUPERVISORS: "end_drill start_drill test_channel",
    ENGINEERS | SUPERVISORS: """
        announce_maintenance approve_change backtest_change cancel_maintenance end_maintenance propose_change
        reject_change shadow_change withdraw_change
    """,
    ENGINEERS: """
        add_site_plan apply_change get_document make_revision place_site_plan_tags remove_site_plan rename_site_plan
        restore_revision roll_back_change
    """,
    ADMINISTRATORS: """
        add_account disable_account enable_account give_password list_accounts receive_receipt set_account_role
    """,
}
ROLES: Mapping[str, frozenset[Role]] = {
    operation: roles for roles, operations in _GROUPS.items() for operation in operations.split()
}
"""Roles by operation."""


_SIGNED = """
    apply_change approve_change close_incident confirm_verification decide_incident declare_accident make_handover
    reject_verification report_accident review_incident roll_back_change sign_handover withdraw_accident
"""
SIGNED = frozenset(_SIGNED.split())
"""Acts that a person signs: who is signed in gives the password or a one-time code again, each time."""


SecondedAct = Literal["silence_sound", "withdraw_accident"]
SECONDED: frozenset[str] = frozenset(get_args(SecondedAct))
"""Acts of two: at the console of who is signed in, another one proves by his own account that he agrees."""


NAMES_ANOTHER = frozenset({"add_account", "begin_session", "prove_second"})
"""Acts whose ``name`` is not the person who does it: it is, of any other, that of who is signed in."""


class Keeps(StrEnum):
    """How an operation keeps to the enterprises that its caller sees."""

    NOTHING = "nothing"
    """It tells of no enterprise."""
    ITSELF = "itself"
    """Its handler does, by ``Call.reach``."""
    WHOLE_SITE = "whole_site"
    """It concerns the whole site: whoever is bound may not."""
    ALARM = "alarm"
    """By the id in the path, as all that follow."""
    INCIDENT = "incident"
    ATTACHMENT = "attachment"
    MESSAGE = "message"
    CALL_BACK = "call_back"
    CHANGE = "change"
    MAINTENANCE = "maintenance"
    HANDOVER = "handover"
    DRILL = "drill"
    SITE_PLAN = "site_plan"
    DESK = "desk"
    """By the path, or ``desk`` in the query."""
    ENTERPRISE = "enterprise"
    """By the path, or ``enterprise`` in the query."""


_KEPT: Mapping[Keeps, str] = {
    Keeps.NOTHING: """
        begin_codes change_password confirm_codes end_codes end_session get_card get_session list_cards list_channels
        list_plans prove_second sign_act test_channel
    """,
    Keeps.ITSELF: """
        acknowledge_selection announce_maintenance export_contacts get_bad_actors get_key_figures get_kpi_report
        get_kpi_table get_map get_sound link_incident list_alarms list_call_backs list_changes list_contacts list_desks
        list_drill_scenarios list_drills list_enterprises list_enterprises_online list_gateways list_incidents
        list_journal list_maintenance list_messages list_quarantine list_rosters list_suppressed list_tags live
        preview_rules propose_change resume_sound search silence_sound start_drill
    """,
    Keeps.WHOLE_SITE: """
        add_account check_config check_contacts disable_account enable_account get_document get_revision give_password
        list_accounts list_documents list_revisions make_revision restore_revision set_account_role
    """,
    Keeps.ALARM: "acknowledge_alarm comment_alarm get_alarm list_alarm_cards reset_alarm shelve_alarm unshelve_alarm",
    Keeps.INCIDENT: """
        acknowledge_incident archive_incident attach_to_incident close_incident comment_incident confirm_verification
        decide_incident declare_accident feed_back_incident get_evidence get_incident get_incident_response
        handle_incident reject_verification report_accident review_incident unlink_incident verify_incident
        withdraw_accident
    """,
    Keeps.ATTACHMENT: "get_attachment",
    Keeps.MESSAGE: "get_message receive_receipt",
    Keeps.CALL_BACK: "finish_call_back",
    Keeps.CHANGE: """
        apply_change approve_change backtest_change get_change reject_change roll_back_change shadow_change
        withdraw_change
    """,
    Keeps.MAINTENANCE: "cancel_maintenance end_maintenance",
    Keeps.HANDOVER: "get_handover sign_handover",
    Keeps.DRILL: "end_drill get_drill_report get_drill_report_page",
    Keeps.SITE_PLAN: "get_site_plan_image place_site_plan_tags remove_site_plan rename_site_plan",
    Keeps.DESK: "get_watch list_handovers list_watch_alarms make_handover mark_presence",
    Keeps.ENTERPRISE: "add_site_plan get_enterprise_online list_site_plans get_samples list_tuning_rules",
}
KEEPS: Mapping[str, Keeps] = {operation: how for how, operations in _KEPT.items() for operation in operations.split()}
"""By operation."""


def allowed(role: Role, scope: Scope) -> list[str]:
    """Operations that somebody may call, by name."""
    return sorted(
        operation
        for operation, roles in ROLES.items()
        if role in roles and (scope.is_whole or KEEPS[operation] is not Keeps.WHOLE_SITE)
    )
