(function () {
  "use strict";
  document.querySelectorAll(".tongue").forEach(function (tongue) {
    var box = tongue.querySelector("input[type=search]");
    var none = tongue.querySelector(".none-found");
    tongue.querySelector(".find").hidden = false;
    box.addEventListener("input", function () {
      var wanted = box.value.trim().toLowerCase(), shown = 0;
      tongue.querySelectorAll("li[data-name]").forEach(function (item) {
        item.hidden = item.dataset.name.indexOf(wanted) < 0;
        if (!item.hidden) shown += 1;
      });
      tongue.querySelectorAll("ul.reports").forEach(function (list) {
        var empty = !list.querySelector("li:not([hidden])");
        list.hidden = empty;
        var heading = list.previousElementSibling;
        if (heading && heading.tagName === "H3") heading.hidden = empty;
      });
      tongue.querySelectorAll("section").forEach(function (section) {
        section.hidden = !section.querySelector("li:not([hidden])");
      });
      none.hidden = shown > 0;
    });
  });
})();
