(function () {
  "use strict";
  var folds = document.querySelectorAll("details.code");
  var button = document.getElementById("all-code");
  if (button && folds.length) {
    button.hidden = false;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", function () {
      var open = button.getAttribute("aria-pressed") !== "true";
      folds.forEach(function (fold) { fold.open = open; });
      button.setAttribute("aria-pressed", String(open));
      button.textContent = open ? button.dataset.hide : button.dataset.show;
    });
  }
  /* the other language opens at the heading that is being read */
  document.querySelectorAll("a.other").forEach(function (link) {
    link.addEventListener("click", function () {
      var place = location.hash;
      document.querySelectorAll("main [id^=s]").forEach(function (heading) {
        if (/^s\d+$/.test(heading.id) && heading.getBoundingClientRect().top < 120) place = "#" + heading.id;
      });
      link.hash = place;
    });
  });
})();
