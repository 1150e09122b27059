// Proposes the time zone that this browser lives in, where a person has not chosen one yet.

const asked = document.querySelector<HTMLElement>('[data-guess-zone="yes"]');
const zones = asked?.querySelector("select");
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zones && here && [...zones.options].some((one) => one.value === here)) {
  zones.value = here;
}
