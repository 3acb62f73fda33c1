{
  const form = document.querySelector(".filter");
  const [words, failed] = form.querySelectorAll("input");
  const all = [...document.querySelectorAll("[data-good]")].map((place) => [place, place.textContent.toLowerCase()]);
  const choose = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const [place, text] of all) {
      place.hidden = (failed.checked && place.dataset.good === "true") || !wanted.every((word) => text.includes(word));
      if (!place.hidden && place.tagName === "DETAILS") shown += 1;
    }
    form.querySelector("output").value = shown + " phases shown";
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", choose);
  form.hidden = false;
  choose();
}
