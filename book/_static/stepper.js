/* Stepped figures: draws the frames that gradem/scene.py describes, and lets readers walk through.

   No library, no network. Each `div.stepper` of a page holds a table, which stays what it is where
   no script runs, and its frames as JSON. The state of a figure is two numbers, route and frame;
   `show` draws everything anew from them. */

(() => {
  "use strict";

  const SECONDS_PER_FRAME = 1.2;
  const SVG = "http://www.w3.org/2000/svg";
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  // ---- small helpers ---------------------------------------------------------------------------

  function html(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }

  function svg(name, attributes = {}, ...children) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }

  const ICONS = {
    first: "M4 4v16h2V4zM20 4v16L8 12z",
    back: "M18 4v16L6 12z",
    next: "M6 4v16l12-8z",
    last: "M18 4v16h2V4zM4 4v16l12-8z",
    play: "M3 4v16l9-8zM12 4v16l9-8z",
    pause: "M6 4h4v16H6zM14 4h4v16h-4z",
  };
  const icon = (name) => svg("svg", { viewBox: "0 0 24 24", width: 18, height: 18, "aria-hidden": "true" },
    svg("path", { d: ICONS[name], fill: "currentColor" }));

  const text = (x, y, words, attributes = {}) => svg("text", { x, y, ...attributes }, words);
  const path = (points) => points.map((p, i) => `${i ? "L" : "M"}${p[0].toFixed(1)} ${p[1].toFixed(1)}`).join("");
  const key = (row, column) => `${row},${column}`;

  /* What has been set up to now: later frames write over earlier ones. */
  function collected(changes, name) {
    const found = new Map();
    for (const change of changes) {
      for (const [row, column, words] of change[name] || []) found.set(key(row, column), words ?? true);
    }
    return found;
  }

  // ---- the four kinds of panels: (panel, changes up to this frame, marks of the route) -> element

  function drawTable(panel, changes) {
    const now = changes[changes.length - 1];
    const cells = collected(changes, "set");
    const lit = new Set((now.lit || []).map(([row, column]) => key(row, column)));
    const head = html("tr", {}, ...panel.head.map((words) => html("th", { scope: "col" }, words)));
    const body = html("tbody");
    for (let row = 0; row < panel.rows; row++) {
      body.append(html("tr", {}, ...panel.head.map((_, column) => {
        const cell = html("td", {}, html("code", {}, cells.get(key(row, column)) || "\u00a0"));
        if (lit.has(key(row, column))) cell.className = "lit";
        return cell;
      })));
    }
    return html("div", { class: "stepper-scroll", tabindex: "0", role: "region",
      "aria-label": panel.title }, html("table", {}, html("thead", {}, head), body));
  }

  function drawGraph(panel, changes) {
    const now = changes[changes.length - 1];
    const notes = collected(changes, "set");
    const across = panel.nodes.map((node) => node[0]);
    const left = Math.min(...across), right = Math.max(...across);
    const top = Math.max(...panel.nodes.map((node) => node[1]));
    const room = 28 + 7.2 * panel.longest;
    const spacing = room + 24;
    const margin = room / 2;
    const place = ([x, y]) => [margin + (x - left) * spacing, 26 + (top - y) * 72];
    const width = margin + (right - left) * spacing + room, height = 80 + top * 72;
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, style: `max-width:${width}px` });
    const labels = [];
    panel.edges.forEach(([start, end, between, partial], i) => {
      let points = [panel.nodes[start], ...between, panel.nodes[end]].map(place);
      const isLit = (now.edges || []).includes(i);
      if (isLit && now.back) points.reverse();
      points = shortened(points, 19);
      picture.append(svg("path", { d: path(points), class: isLit ? "edge lit" : "edge" }),
        svg("path", { d: arrowhead(points), class: isLit ? "head lit" : "head" }));
      if (isLit && partial) {
        const [a, b] = points;
        labels.push(text((a[0] + b[0]) / 2, (a[1] + b[1]) / 2 + 5, partial, { class: "note middle" }));
      }
    });
    picture.append(...labels);
    panel.nodes.forEach((node, i) => {
      const [x, y] = place(node);
      const isLit = (now.lit || []).includes(i);
      picture.append(svg("circle", { cx: x, cy: y, r: 17, class: isLit ? "node lit" : "node" }));
      picture.append(text(x, y + 5, node[2], { "text-anchor": "middle" }));
      const lines = [0, 1].map((row) => notes.get(key(i, row))).filter(Boolean);
      const isInput = node[1] === 0;                    // no edge comes from below: room for words
      lines.forEach((words, row) => {
        const place = isInput ? [x, y + 34 + 16 * row] : [x + 22, y + 13 + 16 * (row - lines.length / 2)];
        picture.append(text(...place, words, { class: `note${isInput ? " middle" : ""}${row ? " second" : ""}` }));
      });
    });
    return picture;
  }

  /* A path that ends outside of the circles around its ends. */
  function shortened(points, radius) {
    const cut = (a, b) => {
      const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
      return [a[0] + (b[0] - a[0]) * radius / length, a[1] + (b[1] - a[1]) * radius / length];
    };
    const last = points.length - 1;
    const inner = points.slice(1, last);
    return [cut(points[0], points[1]), ...inner, cut(points[last], points[last - 1])];
  }

  function arrowhead(points) {
    const [tip, before] = [points[points.length - 1], points[points.length - 2]];
    const angle = Math.atan2(tip[1] - before[1], tip[0] - before[0]);
    const side = (turn) => [tip[0] - 10 * Math.cos(angle + turn), tip[1] - 10 * Math.sin(angle + turn)];
    return path([side(0.4), tip, side(-0.4)]) + "Z";
  }

  function drawMatrix(panel, changes) {
    const now = changes[changes.length - 1];
    const found = collected(changes, "show");
    const recent = collected([now], "show");
    const rows = panel.rows.length, columns = panel.columns.length;
    const written = columns <= 8;                       // else a cell has no room for its number
    const w = written ? 58 : Math.max(12, 460 / columns), h = written ? 32 : w;
    const left = 46, above = 46;
    const width = left + columns * w + 4, height = above + rows * h + 4;
    const largest = Math.max(...panel.values.flat().map(Math.abs)) || 1;
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, style: `max-width:${width}px` });
    const seed = (x, y, isOne, wide, high) => {
      picture.append(svg("rect", { x, y, width: wide, height: high, class: isOne ? "seed lit" : "seed" }));
      if (written && wide > 14 && (now.rows || now.columns)) {
        picture.append(text(x + wide / 2, y + high / 2 + 5, isOne ? "1" : "0", { "text-anchor": "middle" }));
      }
    };
    for (let j = 0; j < columns; j++) {
      if (now.columns) seed(left + j * w + 1, 22, now.columns.includes(j), w - 2, 18);
      if (written) picture.append(text(left + (j + 0.5) * w, 15, panel.columns[j], { "text-anchor": "middle" }));
    }
    for (let i = 0; i < rows; i++) {
      if (now.rows) seed(left - 22, above + i * h + 1, now.rows.includes(i), 18, h - 2);
      if (written) picture.append(text(0, above + (i + 0.5) * h + 5, panel.rows[i]));
      for (let j = 0; j < columns; j++) {
        const value = panel.values[i][j], at = key(i, j);
        const cell = svg("rect", { x: left + j * w + 1, y: above + i * h + 1, width: w - 2, height: h - 2 });
        cell.setAttribute("class", `cell${found.has(at) ? value < 0 ? " negative" : " known" : ""}${recent.has(at) ? " lit" : ""}`);
        if (found.has(at)) cell.style.fillOpacity = 0.12 + 0.5 * Math.abs(value) / largest;
        picture.append(cell);
        if (found.has(at) && written) {
          picture.append(text(left + (j + 0.5) * w, above + (i + 0.5) * h + 5, String(value), { "text-anchor": "middle" }));
        }
      }
    }
    return picture;
  }

  const PLOT = { width: 430, height: 330, left: 66, right: 14, top: 10, bottom: 44 };

  function drawPlot(panel, changes, marks) {
    const { width, height, left, right, top, bottom } = PLOT;
    const scale = (axis, from, to) => {
      const at = axis.log ? Math.log10 : (value) => value;
      return (value) => from + (to - from) * (at(value) - at(axis.low)) / (at(axis.high) - at(axis.low));
    };
    const x = scale(panel.x, left, width - right), y = scale(panel.y, height - bottom, top);
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}` });
    for (const [value, label] of panel.x.ticks) {
      picture.append(svg("path", { d: path([[x(value), height - bottom], [x(value), height - bottom + 5]]), class: "axis" }),
        text(x(value), height - bottom + 19, label, { "text-anchor": "middle", class: "tick" }));
    }
    for (const [value, label] of panel.y.ticks) {
      picture.append(svg("path", { d: path([[left - 5, y(value)], [left, y(value)]]), class: "axis" }),
        text(left - 8, y(value) + 4, label, { "text-anchor": "end", class: "tick" }));
    }
    const corner = [[left, top], [left, height - bottom], [width - right, height - bottom]];
    picture.append(svg("path", { d: path(corner), class: "axis" }),
      text((left + width - right) / 2, height - 6, panel.x.label, { "text-anchor": "middle" }),
      text(0, 0, panel.y.label, { "text-anchor": "middle", transform: `translate(12 ${(top + height - bottom) / 2}) rotate(-90)` }));
    const frame = svg("svg", { x: left, y: top, width: width - left - right, height: height - top - bottom,
      viewBox: `${left} ${top} ${width - left - right} ${height - top - bottom}` });
    const to = ([a, b]) => [x(a), y(b)];
    for (const mark of [...panel.marks, ...marks, ...(changes[changes.length - 1].marks || [])]) {
      frame.append(...MARKS[mark.kind](mark, mark.points || panel.points, to));
    }
    picture.append(frame);
    return picture;
  }

  const DRAW = { table: drawTable, graph: drawGraph, matrix: drawMatrix, plot: drawPlot };

  // ---- the marks of a plot: (mark, its points, data to paper) -> elements ------------------------

  const MARKS = {
    line(mark, points, to) {
      const line = svg("path", { d: path(points.map(to)), class: `line c${mark.colour} d${mark.dash}` });
      if (!mark.name) return [line];
      const [x, y] = to(points.at(mark.at)), isRight = x > PLOT.width / 2;
      return [line, text(x + (isRight ? -6 : 6), y - 8, mark.name,
        { class: "name", "text-anchor": isRight ? "end" : "start" })];
    },

    dots(mark, points, to) {
      return points.map((point, i) => {
        const [cx, cy] = to(point);
        return svg("circle", { cx, cy, r: mark.size, class: `dot f${mark.colours ? mark.colours[i] : mark.colour}` });
      });
    },

    pies(mark, points, to) {
      const radius = points.length > 150 ? 4 : 6;
      return points.flatMap((point, i) => slices(to(point), radius, mark.shares[i]));
    },

    ellipses(mark, _, to) {
      return mark.of.flatMap(([x, y, a, b, c], k) => [2, 1].map((deviations) => {
        const points = Array.from({ length: 73 }, (_, i) => {
          const u = deviations * Math.cos(i * Math.PI / 36), v = deviations * Math.sin(i * Math.PI / 36);
          return to([x + a * u, y + b * u + c * v]);
        });
        return svg("path", { d: path(points) + "Z", class: `ellipse c${k} f${k} d${k}${deviations > 1 ? " thin" : ""}` });
      }));
    },

    crosses(mark, points, to) {
      return points.map((point, k) => {
        const [x, y] = to(point);
        const d = `M${x - 6} ${y - 6}l12 12M${x + 6} ${y - 6}l-12 12`;
        return svg("g", {}, svg("path", { d, class: "halo" }), svg("path", { d, class: `cross c${k}` }));
      });
    },

    rule(mark, _, to) {
      const [x] = to([mark.x, 1]);
      return [svg("path", { d: path([[x, 0], [x, PLOT.height]]), class: "rule" })];
    },
  };

  /* A pie from twelve o'clock on; a share of less than a hundredth is not to be seen. */
  function slices([x, y], radius, shares) {
    const whole = shares.findIndex((share) => share > 0.99);
    if (whole >= 0) return [svg("circle", { cx: x, cy: y, r: radius, class: `f${whole}` })];
    const at = (turn) => [x + radius * Math.sin(2 * Math.PI * turn), y - radius * Math.cos(2 * Math.PI * turn)];
    let turn = 0;
    return shares.flatMap((share, k) => {
      const [start, end] = [at(turn), at(turn += share)];
      if (share < 0.01) return [];
      const d = `M${x} ${y}L${start.join(" ")}A${radius} ${radius} 0 ${share > 0.5 ? 1 : 0} 1 ${end.join(" ")}Z`;
      return [svg("path", { d, class: `f${k}` })];
    });
  }

  // ---- one figure ------------------------------------------------------------------------------

  function start(home) {
    const scene = JSON.parse(home.querySelector("script").textContent);
    const figure = home.closest("figure");
    const name = figure ? figure.id : home.id;
    let route = 0, frame = scene.routes[0].first, playing = null;

    const button = (words, action) => {
      const made = html("button", { type: "button", class: words, "aria-label": words, title: words }, icon(words));
      made.addEventListener("click", action);
      return made;
    };
    const buttons = {
      first: button("first", () => jump(0)),
      back: button("back", () => jump(frame - 1)),
      next: button("next", () => jump(frame + 1)),
      last: button("last", () => jump(Infinity)),
      play: button("play", () => (playing ? jump(frame) : play())),
    };
    const slider = html("input", { type: "range", min: 0, "aria-label": scene.unit });
    slider.addEventListener("input", () => jump(Number(slider.value)));
    const counter = html("output", { class: "stepper-count", "aria-hidden": "true" });
    const controls = html("div", { class: "stepper-controls", role: "group",
      "aria-label": `walk through the figure by ${scene.unit}` }, ...Object.values(buttons), slider, counter);
    const says = html("p", { "aria-live": "polite" });
    const longest = scene.routes.flatMap((way) => way.frames.map((each) => each.says))
      .reduce((a, b) => (b.length > a.length ? b : a));
    const words = html("div", { class: "stepper-words" }, says,
      html("p", { class: "stepper-longest", "aria-hidden": "true" }, longest));
    const panels = html("div", { class: "stepper-panels" });
    const stage = html("div", { class: "stepper-stage" });
    if (scene.routes.length > 1) stage.append(choice());
    stage.append(controls, words, panels);
    const table = home.querySelector(".stepper-table");
    const folded = html("details", { class: "stepper-folded" }, html("summary", {}, "The same as a table"));
    home.prepend(stage, folded);
    folded.append(table);
    for (const [name, value] of [["tabindex", "0"], ["role", "region"],
      ["aria-label", table.querySelector("caption").textContent]]) table.setAttribute(name, value);
    home.classList.add("live");

    function choice() {
      const select = html("select", { "aria-label": "order" },
        ...scene.routes.map((way, i) => html("option", { value: i }, way.name)));
      select.addEventListener("change", () => {
        route = Number(select.value);
        jump(scene.routes[route].first);
      });
      return html("div", { class: "stepper-choice" }, select);
    }

    function go(wanted) {
      const last = scene.routes[route].frames.length - 1;
      frame = Math.max(0, Math.min(last, wanted));
      if (frame === last) stop();
      show();
    }

    function stop() {
      clearInterval(playing);
      playing = null;
    }

    /* What a reader does ends a walk that plays by itself. */
    function jump(wanted) {
      stop();
      go(wanted);
    }

    function play() {
      const atEnd = frame === scene.routes[route].frames.length - 1;
      playing = setInterval(() => go(frame + 1), 1000 * SECONDS_PER_FRAME);
      go(atEnd ? 0 : frame + 1);
    }

    function show() {
      const way = scene.routes[route];
      const last = way.frames.length - 1;
      const sofar = way.frames.slice(0, frame + 1);
      panels.replaceChildren(...scene.panels.map((panel, i) => {
        const picture = DRAW[panel.kind](panel, sofar.map((each) => each.panels[i]), way.still[i] || []);
        if (picture instanceof SVGElement) {
          picture.setAttribute("role", "img");
          picture.setAttribute("aria-label", `${panel.title}. ${way.frames[frame].says}`);
        }
        return html("div", { class: `stepper-panel of-${panel.kind}` },
          html("p", { class: "stepper-title" }, panel.title), picture);
      }));
      says.textContent = way.frames[frame].says;
      slider.max = last;
      slider.value = frame;
      slider.setAttribute("aria-valuetext", `${scene.unit} ${frame} of ${last}`);
      counter.textContent = `${frame} / ${last}`;
      // not `disabled`, which would take the focus from the reader who holds the key
      for (const name of ["first", "back"]) buttons[name].setAttribute("aria-disabled", frame === 0);
      for (const name of ["next", "last"]) buttons[name].setAttribute("aria-disabled", frame === last);
      const action = playing ? "pause" : "play";
      buttons.play.replaceChildren(icon(action));
      buttons.play.setAttribute("aria-label", action);
      buttons.play.setAttribute("title", action);
    }

    const KEYS = { ArrowLeft: () => frame - 1, ArrowRight: () => frame + 1, Home: () => 0, End: () => Infinity };
    stage.addEventListener("keydown", (event) => {
      const own = event.target.closest("input, select, .stepper-scroll");     // they have uses for keys
      if (own || event.altKey || event.ctrlKey || event.metaKey || !(event.key in KEYS)) return;
      event.preventDefault();
      jump(KEYS[event.key]());
    });

    /* #fig-name/7 leads to this figure, and to its frame 7. */
    function follow() {
      const [wanted, number] = decodeURIComponent(location.hash.slice(1)).split("/");
      if (!name || wanted !== name || number === undefined) return;
      jump(Number(number) || 0);
      (figure || home).scrollIntoView({ block: "start", behavior: still.matches ? "auto" : "smooth" });
    }

    addEventListener("beforeprint", () => { folded.open = true; });
    addEventListener("hashchange", follow);
    show();
    follow();
  }

  const ready = () => document.querySelectorAll("div.stepper").forEach(start);
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", ready);
  else ready();
})();
