(function () {
  "use strict";
  var figures = document.getElementById("figures");
  figures = figures ? JSON.parse(figures.textContent) : null;

  /* what is looked for: words of letters as they are, Chinese as pairs of characters in any order */
  function pieces(text) {
    var found = [];
    text.toLowerCase().split(/[\s,，、。；;]+/).forEach(function (word) {
      word.split(/([\u3400-\u9fff\uf900-\ufaff]+)/).forEach(function (part) {
        if (!part) return;
        if (part.length < 3 || !/^[\u3400-\u9fff\uf900-\ufaff]/.test(part)) found.push(part);
        else for (var i = 0; i + 1 < part.length; i += 1) found.push(part.slice(i, i + 2));
      });
    });
    return found;
  }
  function option(value, words) {
    var made = document.createElement("option");
    made.value = value;
    made.textContent = words;
    return made;
  }
  /* a choice of one, or none at all where there is nothing to choose */
  function fill(select, options, all) {
    select.append(option("", all));
    options.forEach(function (one) { select.append(option(one[0], one[1])); });
    if (options.length < 2 && select.dataset.always === undefined) select.closest("p").hidden = true;
  }
  function before(list) {
    var heading = list.previousElementSibling;
    return heading && heading.tagName === "H3" ? heading : null;
  }

  function finding(tongue) {
    var id = tongue.id, tools = tongue.querySelector(".find"), said = tongue.querySelector(".none-found");
    var get = function (name) { return document.getElementById(name + "-" + id); };
    var sections = Array.from(tongue.querySelectorAll("main > section:not(.compare)"));
    var lists = Array.from(tongue.querySelectorAll("ul.reports"));
    var order = new Map(lists.map(function (list) { return [list, Array.from(list.children)]; }));
    var unique = function (words) { return Array.from(new Set(words)).filter(Boolean).map(function (word) { return [word, word]; }); };
    fill(get("part"), sections.map(function (one, i) { return [String(i), one.querySelector("h2").textContent]; }), tools.dataset.all);
    fill(get("group"), unique(lists.map(function (list) { var h = before(list); return h && h.textContent; })), tools.dataset.all);
    var marks = new Map(Array.from(tongue.querySelectorAll(".badge"), function (mark) { return [mark.closest("li"), mark.textContent]; }));
    var badges = unique(Array.from(marks.values()));
    get("badge").dataset.always = "";
    fill(get("badge"), badges, tools.dataset.all);
    get("badge").closest("p").hidden = !badges.length;
    get("sort").append(option("", tools.dataset.order), option("name", tools.dataset.name));
    tools.hidden = false;

    function text(item) { /* a long list carries no names apart: the address holds the English one */
      if (item.found === undefined) item.found = item.dataset.name || (item.textContent + " " + item.firstChild.getAttribute("href")).toLowerCase();
      return item.found;
    }
    function show() {
      var wanted = pieces(get("find").value), part = get("part").value, group = get("group").value, badge = get("badge").value, shown = 0;
      sections.forEach(function (section, i) {
        var any = false;
        section.querySelectorAll("ul.reports").forEach(function (list) {
          var heading = before(list), open = (part === "" || part === String(i)) && (group === "" || (heading && heading.textContent === group)), some = false;
          Array.from(list.children).forEach(function (item) {
            var hidden = !(open && (badge === "" || marks.get(item) === badge)
              && wanted.every(function (piece) { return text(item).indexOf(piece) >= 0; }));
            if (item.hidden !== hidden) item.hidden = hidden;
            if (!hidden) { some = true; shown += 1; }
          });
          list.hidden = !some;
          if (heading) heading.hidden = !some;
          any = any || some;
        });
        section.hidden = !any;
      });
      var narrowed = wanted.length || part || group || badge;
      said.textContent = !shown ? said.dataset.none : narrowed ? tools.dataset.hits.replace("{n}", shown) : "";
    }
    function sort() {
      var named = get("sort").value === "name", by = new Intl.Collator(tongue.lang);
      lists.forEach(function (list) {
        var all = order.get(list).map(function (item) { return [item.textContent, item]; });
        if (named) all.sort(function (a, b) { return by.compare(a[0], b[0]); });
        var sorted = document.createDocumentFragment();
        all.forEach(function (one) { sorted.append(one[1]); });
        list.append(sorted);
      });
    }
    ["find", "part", "group", "badge"].forEach(function (name) { get(name).addEventListener("input", show); });
    get("sort").addEventListener("input", sort);
  }

  function comparing(tongue) {
    var place = tongue.querySelector(".compare"), id = tongue.id;
    if (!place || !figures) return;
    var one = document.getElementById("one-" + id), two = document.getElementById("two-" + id);
    figures.areas.forEach(function (area, i) { [one, two].forEach(function (select) { select.append(option(String(i), name(area))); }); });
    two.value = "1";
    function name(area) { return area[id === "zh" ? 0 : 1]; } /* a list: names, page, figures */
    function number(value) { return value.toLocaleString(tongue.lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 }); }
    function cell(value) {
      var made = document.createElement("td"), small = document.createElement("small");
      made.className = "num";
      if (!value) { made.textContent = place.dataset.held; return made; }
      made.textContent = number(value[0]);
      small.textContent = (value[1] === null ? "" : "(" + number(value[1]) + "–" + number(value[2]) + ")") + (value[3] ? " " + place.dataset.care : "");
      if (small.textContent) made.append(small);
      return made;
    }
    function head(where, area) {
      var cellOf = place.querySelector("thead ." + where), link = document.createElement("a"), small = document.createElement("small");
      cellOf.textContent = name(area);
      link.href = /^(zh|en)\//.test(area[2]) ? area[2] : id + "/" + area[2];
      link.textContent = place.dataset.page;
      small.append(link);
      cellOf.append(small);
    }
    function show() {
      var pair = [figures.areas[one.value], figures.areas[two.value]], body = place.querySelector("tbody");
      head("one", pair[0]);
      head("two", pair[1]);
      body.replaceChildren.apply(body, figures.measures.map(function (measure, i) {
        var row = document.createElement("tr"), what = document.createElement("th");
        what.scope = "row";
        what.textContent = measure[id] || measure.en;
        row.append(what, cell(pair[0][3 + i]), cell(pair[1][3 + i]), cell(figures.district[i]));
        return row;
      }));
    }
    one.addEventListener("input", show);
    two.addEventListener("input", show);
    show();
    place.hidden = false;
  }
  document.querySelectorAll(".tongue").forEach(function (tongue) { finding(tongue); comparing(tongue); });
})();
