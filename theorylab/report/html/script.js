"use strict";
// What the page does beyond being read: copy a command, save a certificate, filter by outcome.
(function () {
  function copied(button, text) {
    function done() {
      button.textContent = "copied";
      setTimeout(function () { button.textContent = "copy"; }, 1500);
    }
    function byHand() {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.appendChild(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      done();
    }
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, byHand);
    else byHand();
  }

  document.querySelectorAll("pre.tl-command").forEach(function (block) {
    const text = block.textContent;
    const frame = document.createElement("div");
    const button = document.createElement("button");
    frame.className = "copying";
    button.type = "button";
    button.className = "copy";
    button.textContent = "copy";
    button.setAttribute("aria-label", "copy " + text.slice(0, 60));
    button.addEventListener("click", function () { copied(button, text); });
    block.replaceWith(frame);
    frame.append(block, button);
  });

  async function bytesOf(link) {
    const packed = atob(link.href.slice(link.href.indexOf(",") + 1));
    const held = Uint8Array.from(packed, function (c) { return c.charCodeAt(0); });
    const stream = new Blob([held]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).blob();
  }

  if (typeof DecompressionStream === "function") {
    document.addEventListener("click", function (event) {
      const link = event.target.closest("a.save");
      if (!link) return;
      event.preventDefault();
      bytesOf(link).then(function (blob) {
        const whole = document.createElement("a");
        whole.href = URL.createObjectURL(blob);
        whole.download = link.dataset.name;
        whole.click();
        setTimeout(function () { URL.revokeObjectURL(whole.href); }, 10000);
      });
    });
  }

  // A link into what is folded opens it.
  function unfold() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let e = target.parentElement; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", unfold);
  unfold();

  const filter = document.getElementById("filter");
  if (!filter) return;
  const rows = Array.from(document.querySelectorAll("#claims details.row"));
  const cards = Array.from(document.querySelectorAll("#claims article.card"));
  function apply() {
    const wanted = new Set();
    filter.querySelectorAll("input").forEach(function (box) { if (box.checked) wanted.add(box.value); });
    const all = wanted.size === filter.querySelectorAll("input").length;
    let shown = 0;
    rows.forEach(function (row) {
      row.hidden = !wanted.has(row.dataset.look);
      shown += row.hidden ? 0 : 1;
    });
    cards.forEach(function (card) {
      const looks = card.dataset.looks.split(" ");
      card.hidden = !all && !looks.some(function (look) { return wanted.has(look); });
    });
    filter.querySelector("output").textContent = shown + " of " + rows.length + " instances";
  }
  filter.addEventListener("change", apply);
  filter.hidden = false;
  apply();
})();
