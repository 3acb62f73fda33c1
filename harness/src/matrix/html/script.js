{
  // Arrow keys move from cell to cell of the heat map; each cell is a link without them.
  const rows = [...document.querySelectorAll(".heat tbody tr")].map((row) => [...row.querySelectorAll("td")]);
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  document.querySelector(".heat").addEventListener("keydown", (event) => {
    const step = steps[event.key];
    const cell = event.target.closest("td");
    if (!step || !cell) return;
    const down = rows.findIndex((row) => row.includes(cell));
    const next = rows[down + step[0]]?.[rows[down].indexOf(cell) + step[1]]?.querySelector("a");
    if (next) {
      next.focus();
      event.preventDefault();
    }
  });
}
