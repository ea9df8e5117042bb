(function () {
  "use strict";
  document.querySelectorAll(".tongue").forEach(function (tongue) {
    var box = tongue.querySelector("input[type=search]");
    var none = tongue.querySelector(".none-found");
    tongue.querySelector(".find").hidden = false;
    box.addEventListener("input", function () {
      var wanted = box.value.trim().toLowerCase(), shown = 0;
      tongue.querySelectorAll("ul.reports > li").forEach(function (item) {
        // a long list carries no names apart: the address holds the English one
        var name = item.dataset.name || (item.textContent + " " + item.firstChild.getAttribute("href")).toLowerCase();
        item.hidden = name.indexOf(wanted) < 0;
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
