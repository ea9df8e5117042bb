/* Tables to take along: each as CSV, all of a page as one workbook. Made here from what the page shows, so that
   the page stays one file and nothing is in a download that readers do not see. */
(function () {
  "use strict";
  var body = document.body, tables = Array.from(document.querySelectorAll("main table"));
  if (!tables.length || !body.dataset.csv) return;
  var name = decodeURIComponent(location.pathname.split("/").pop() || "").replace(/\.html$/, "") || "report";
  var language = document.documentElement.lang.slice(0, 2);

  /* every cell in its own place: a cell over several rows or columns is repeated */
  function grid(table) {
    var rows = [];
    Array.from(table.rows).forEach(function (row, r) {
      var c = 0;
      rows[r] = rows[r] || [];
      Array.from(row.cells).forEach(function (cell) {
        while (rows[r][c] !== undefined) c += 1;
        var text = cell.textContent;
        for (var down = 0; down < (cell.rowSpan || 1); down += 1) {
          rows[r + down] = rows[r + down] || [];
          for (var along = 0; along < (cell.colSpan || 1); along += 1) rows[r + down][c + along] = text.trim().replace(/\s+/g, " ");
        }
      });
    });
    return rows.map(function (row) { return Array.from(row, function (cell) { return cell === undefined ? "" : cell; }); });
  }
  function caption(table) {
    var own = table.caption ? table.caption.textContent : table.getAttribute("aria-label") || "";
    var figure = table.closest("figure"), title = figure && figure.querySelector("figcaption strong");
    return (title ? title.textContent + " · " : "") + own.trim();
  }
  var NUMBER = /^[-\u2212]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?$/;
  function plain(text) { return text.replace(/,/g, "").replace("\u2212", "-"); }

  /* CSV: a cell that a spreadsheet would take for a formula is told to be words */
  function csv(rows) {
    return "\ufeff" + rows.map(function (row) {
      return row.map(function (cell) {
        var text = NUMBER.test(cell) ? plain(cell) : /^[=+\-@\t\r\u2212]/.test(cell) ? "'" + cell : cell;
        return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
      }).join(",");
    }).join("\r\n") + "\r\n";
  }

  /* a workbook: parts of XML in a zip that is not compressed; cells hold numbers or words, never formulas */
  function xml(text) {
    return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "").replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
  }
  function sheet(rows) {
    return HEAD + '<worksheet xmlns="' + MAIN + '"><sheetData>' + rows.map(function (row) {
      return "<row>" + row.map(function (cell) {
        return NUMBER.test(cell) ? "<c><v>" + plain(cell) + "</v></c>"
          : '<c t="inlineStr"><is><t xml:space="preserve">' + xml(cell) + "</t></is></c>";
      }).join("") + "</row>";
    }).join("") + "</sheetData></worksheet>";
  }
  var HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
  var MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
  var OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
  var PACKAGE = "http://schemas.openxmlformats.org/package/2006/";
  var KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml.";
  function workbook(sheets) {
    var parts = {}, sheetList = "", relations = "", kinds = "";
    sheets.forEach(function (one, i) {
      var n = i + 1;
      parts["xl/worksheets/sheet" + n + ".xml"] = sheet(one.rows);
      sheetList += '<sheet name="' + xml(one.name) + '" sheetId="' + n + '" r:id="r' + n + '"/>';
      relations += '<Relationship Id="r' + n + '" Type="' + OFFICE + '/worksheet" Target="worksheets/sheet' + n + '.xml"/>';
      kinds += '<Override PartName="/xl/worksheets/sheet' + n + '.xml" ContentType="' + KIND + 'worksheet+xml"/>';
    });
    parts["xl/workbook.xml"] = HEAD + '<workbook xmlns="' + MAIN + '" xmlns:r="' + OFFICE + '"><sheets>' + sheetList + "</sheets></workbook>";
    parts["xl/_rels/workbook.xml.rels"] = HEAD + '<Relationships xmlns="' + PACKAGE + 'relationships">' + relations + "</Relationships>";
    parts["_rels/.rels"] = HEAD + '<Relationships xmlns="' + PACKAGE + 'relationships"><Relationship Id="r1" Type="' + OFFICE + '/officeDocument" Target="xl/workbook.xml"/></Relationships>';
    var types = HEAD + '<Types xmlns="' + PACKAGE + 'content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="' + KIND + 'sheet.main+xml"/>' + kinds + "</Types>";
    return zip(Object.assign({ "[Content_Types].xml": types }, parts));
  }
  var CRC = Array.from({ length: 256 }, function (_, n) {
    for (var k = 0; k < 8; k += 1) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n;
  });
  function crc(bytes) {
    var c = -1;
    bytes.forEach(function (b) { c = CRC[(c ^ b) & 255] ^ (c >>> 8); });
    return (c ^ -1) >>> 0;
  }
  function numbers() { /* pairs of (bytes, value), lowest byte first */
    var bytes = [];
    for (var i = 0; i < arguments.length; i += 2) for (var k = 0; k < arguments[i]; k += 1) bytes.push((arguments[i + 1] >>> (8 * k)) & 255);
    return new Uint8Array(bytes);
  }
  function zip(parts) {
    var pieces = [], directory = [], at = 0, count = 0, long = 0, utf8 = new TextEncoder();
    Object.keys(parts).forEach(function (path) {
      var label = utf8.encode(path), data = utf8.encode(parts[path]), sum = crc(data);
      /* version 2.0, names in UTF-8, stored, 1 January 1980 */
      var common = [2, 20, 2, 0x800, 2, 0, 2, 0, 2, 33, 4, sum, 4, data.length, 4, data.length, 2, label.length, 2, 0];
      var local = numbers.apply(null, [4, 0x04034b50].concat(common));
      var entry = numbers.apply(null, [4, 0x02014b50, 2, 20].concat(common, [2, 0, 2, 0, 2, 0, 4, 0, 4, at]));
      pieces.push(local, label, data);
      directory.push(entry, label);
      at += local.length + label.length + data.length;
      long += entry.length + label.length;
      count += 1;
    });
    return pieces.concat(directory, [numbers(4, 0x06054b50, 2, 0, 2, 0, 2, count, 2, count, 4, long, 4, at, 2, 0)]);
  }

  function notes() {
    var rows = [[document.title]];
    document.querySelectorAll(".notice p, .failed h2").forEach(function (one) { rows.push([one.textContent.trim()]); });
    document.querySelectorAll(".foot dl > div").forEach(function (one) {
      rows.push([one.querySelector("dt").textContent, one.querySelector("dd").textContent]);
    });
    return rows.concat([[""]], tables.map(function (table, i) { return [String(i + 1), caption(table)]; }));
  }
  function save(parts, file, type) {
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(parts, { type: type }));
    link.download = file;
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 10000);
  }
  function button(words, label, act) {
    var made = document.createElement("button");
    made.type = "button";
    made.textContent = words;
    if (label) made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  }
  tables.forEach(function (table, i) {
    var holder = document.createElement("p"), place = table.closest(".scroll") || table;
    holder.className = "take";
    holder.append(button(body.dataset.csv, body.dataset.csv + ": " + caption(table), function () {
      save([csv(grid(table))], name + "-" + language + "-" + (i + 1) + ".csv", "text/csv;charset=utf-8");
    }));
    place.after(holder);
  });
  var side = document.querySelector(".side");
  if (side) side.append(button(body.dataset.xlsx, "", function () {
    var sheets = tables.map(function (table, i) { return { name: String(i + 1), rows: [[caption(table)]].concat(grid(table)) }; });
    save(workbook([{ name: body.dataset.notes, rows: notes() }].concat(sheets)), name + "-" + language + ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
  }));
})();
