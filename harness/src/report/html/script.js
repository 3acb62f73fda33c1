"use strict";
// Without this script a picture is opened by hand, or by the browser itself where it opens what a link leads into.
function reveal() {
  const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!place) return;
  for (let each = place; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
  const picture = place.closest("details");
  (picture || place).scrollIntoView();
  if (picture) picture.querySelector("summary").focus({ preventScroll: true });
}
addEventListener("hashchange", reveal);
reveal();
