"""Where the pages of getting started are."""

from allauth.account import views as account
from django.urls import path

from dashboard.start import agreements, home_assistant, infants, monitor, monitors, people, taking

OF = "infants/<uuid:infant_id>"
MONITOR = "monitors/<uuid:device_id>"
urlpatterns = [
    path("sign-in/", account.login, name="sign-in"),
    path("sign-out/", account.logout, name="sign-out"),
    path("start/", infants.start, name="start"),
    path("start/infant/", infants.add, name="start-infant"),
    path("start/<uuid:infant_id>/", infants.ready, name="start-ready"),
    path("start/<uuid:infant_id>/listen/", infants.listen, name="start-listen"),
    path(f"{OF}/settings/", infants.settings, name="infant-settings"),
    path(f"{OF}/particulars/", infants.particulars, name="infant-particulars"),
    path(f"{OF}/monitors/", monitors.monitors, name="monitors"),
    path(f"{OF}/monitors/pair/", monitors.pair, name="monitor-pair"),
    path(f"{OF}/monitors/pair/<uuid:offer_id>/", monitors.pair_state, name="monitor-pair-state"),
    path(f"{OF}/monitors/<uuid:device_id>/revoke/", monitors.revoke, name="monitor-revoke"),
    path(f"{MONITOR}/", monitor.monitor, name="monitor"),
    path(f"{MONITOR}/name/", monitor.rename, name="monitor-rename"),
    path(f"{MONITOR}/serve/", monitor.serve, name="monitor-serve"),
    path(f"{MONITOR}/try-out/", monitor.try_out, name="monitor-try-out"),
    path(f"{MONITOR}/token/", monitor.new_token, name="monitor-token"),
    path(f"{MONITOR}/disconnect/", monitor.disconnect, name="monitor-disconnect"),
    path(f"{OF}/listen/", monitors.phone, name="listen"),
    path(f"{OF}/listen/code/", monitors.phone_code, name="listen-code"),
    path(f"{OF}/people/", people.people, name="people"),
    path(f"{OF}/people/invite/", people.invite_somebody, name="invite"),
    path(f"{OF}/people/<uuid:membership_id>/end/", people.end, name="membership-end"),
    path(
        f"{OF}/invitations/<uuid:invitation_id>/withdraw/",
        people.withdraw,
        name="invitation-withdraw",
    ),
    path("invitations/<str:secret>/", people.invitation, name="invitation"),
    path(f"{OF}/home-assistant/", home_assistant.home_assistant, name="home-assistant"),
    path(f"{OF}/take-data/", taking.take_data, name="take-data"),
    path(f"{OF}/take-data/calendar/", taking.offer, name="calendar-offer"),
    path(f"{OF}/take-data/calendar/<uuid:feed_id>/revoke/", taking.revoke, name="calendar-revoke"),
    path("calendar/<str:secret>.ics", taking.calendar, name="calendar"),
    path(f"{OF}/audio-policy/", agreements.audio, name="audio-policy"),
    path(f"{OF}/erase/", agreements.erase, name="erase"),
    path("erasures/<uuid:erasure_id>/", agreements.erased, name="erased"),
]
