"""Who may do what: each operation of the API and the roles that it is open to. What is not listed is open to nobody.

A bearer token of the main file has a role as well, an administrator's unless it says another.
"""

from collections.abc import Mapping

from service.accounts import Role

EVERYBODY = frozenset(Role)
OFFICERS = frozenset({Role.DUTY_OFFICER, Role.SUPERVISOR, Role.ADMINISTRATOR})
SUPERVISORS = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})
ENGINEERS = frozenset({Role.ENGINEER, Role.ADMINISTRATOR})
STAFF = EVERYBODY - {Role.VIEWER}
"""Everybody but a wall screen: contacts and messages, the journal, files, the configuration."""
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
        get_enterprise_online list_enterprises_online get_map get_site_plan_image list_site_plans list_watch_alarms live
        search
    """,
    STAFF: """
        begin_codes confirm_codes end_codes check_config check_contacts export_contacts get_attachment get_bad_actors
        get_change get_document get_drill_report get_drill_report_page get_evidence get_handover get_key_figures
        get_kpi_report get_kpi_table get_message get_revision list_call_backs list_changes list_channels list_contacts
        list_documents list_handovers list_journal list_messages list_plans list_quarantine list_revisions list_rosters
        list_tuning_rules preview_rules
    """,
    OFFICERS: """
        acknowledge_alarm acknowledge_incident acknowledge_selection archive_incident attach_to_incident close_incident
        comment_alarm comment_incident confirm_verification decide_incident declare_accident feed_back_incident
        finish_call_back handle_incident link_incident make_handover mark_presence reject_verification report_accident
        reset_alarm resume_sound review_incident shelve_alarm sign_handover silence_sound unlink_incident unshelve_alarm
        verify_incident withdraw_accident
    """,
    SUPERVISORS: "end_drill start_drill test_channel",
    ENGINEERS | SUPERVISORS: """
        announce_maintenance approve_change backtest_change cancel_maintenance end_maintenance propose_change
        reject_change shadow_change withdraw_change
    """,
    ENGINEERS: """
        add_site_plan apply_change make_revision place_site_plan_tags remove_site_plan rename_site_plan restore_revision
        roll_back_change
    """,
    ADMINISTRATORS: """
        add_account disable_account enable_account give_password list_accounts receive_receipt set_account_role
    """,
}
ROLES: Mapping[str, frozenset[Role]] = {
    operation: roles for roles, operations in _GROUPS.items() for operation in operations.split()
}
"""Roles by operation."""
