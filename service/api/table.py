"""All routes of the API."""

from http import HTTPStatus

from service.api import alarm_acts, alarms, desks, drills, incidents, models, watch, watched, watched_models
from service.api.routes import PREFIX, Route

_NOT_FOUND, _CONFLICT, _AWAY = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        f"{PREFIX}/health",
        watched.get_health,
        "State of the service",
        models.Health,
        tag="service",
        is_open=True,
    ),
    Route(
        "GET",
        f"{PREFIX}/alarms",
        alarms.list_alarms,
        "Alarms",
        models.AlarmPage,
        errors=(_AWAY,),
        tag="alarms",
    ),
    Route(
        "GET",
        f"{PREFIX}/alarms/{{id}}",
        alarms.get_alarm,
        "One alarm",
        models.AlarmDetail,
        errors=(_NOT_FOUND, _AWAY),
        tag="alarms",
    ),
    Route(
        "POST",
        f"{PREFIX}/alarms/{{id}}/acknowledge",
        alarms.acknowledge_alarm,
        "Acknowledge an alarm",
        models.Alarm,
        errors=(_NOT_FOUND, _CONFLICT, _AWAY),
        tag="alarms",
    ),
    Route(
        "POST",
        f"{PREFIX}/alarms/{{id}}/reset",
        alarms.reset_alarm,
        "Reset a latched alarm",
        models.Alarm,
        errors=(_NOT_FOUND, _CONFLICT, _AWAY),
        tag="alarms",
    ),
    *incidents.ROUTES,
    Route(
        "GET",
        f"{PREFIX}/enterprises",
        watched.list_enterprises,
        "Enterprises and their units",
        watched_models.EnterpriseList,
        errors=(_AWAY,),
        tag="sites",
    ),
    Route(
        "GET",
        f"{PREFIX}/tags",
        watched.list_tags,
        "Tags",
        watched_models.TagPage,
        errors=(_AWAY,),
        tag="sites",
    ),
    Route(
        "GET",
        f"{PREFIX}/tags/{{enterprise}}/{{tag}}/samples",
        watched.get_samples,
        "History of a tag",
        models.Samples,
        errors=(_NOT_FOUND, _AWAY),
        tag="sites",
    ),
    Route(
        "GET",
        f"{PREFIX}/gateways",
        watched.list_gateways,
        "Gateways",
        models.GatewayList,
        tag="sites",
    ),
    Route(
        "GET",
        f"{PREFIX}/quarantine",
        alarms.list_quarantine,
        "Refused messages",
        models.RefusedPage,
        errors=(_AWAY,),
        tag="records",
    ),
    Route(
        "GET",
        f"{PREFIX}/journal",
        alarms.list_journal,
        "Journal",
        models.EntryPage,
        errors=(_AWAY,),
        tag="records",
    ),
    *alarm_acts.ROUTES,
    *watch.ROUTES,
    *desks.ROUTES,
    *drills.ROUTES,
)
