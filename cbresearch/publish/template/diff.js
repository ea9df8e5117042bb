(function () {
  "use strict";
  document.querySelectorAll(".tongue").forEach(function (tongue) {
    var find = tongue.querySelector(".find");
    if (!find) return;
    var box = find.querySelector("input"), none = tongue.querySelector(".none-found");
    find.hidden = false;
    box.addEventListener("input", function () {
      var wanted = box.value.trim().toLowerCase(), shown = 0;
      tongue.querySelectorAll("tr[data-name]").forEach(function (row) {
        row.hidden = row.dataset.name.indexOf(wanted) < 0;
        if (!row.hidden) shown += 1;
      });
      tongue.querySelectorAll("details").forEach(function (fold) {
        fold.open = wanted !== "" && fold.querySelector("tr[data-name]:not([hidden])") !== null;
      });
      tongue.querySelectorAll("section.moves").forEach(function (section) {
        section.hidden = !section.querySelector("tr[data-name]:not([hidden])");
      });
      none.hidden = shown > 0;
    });
  });
})();
