/* Stepped figures: draws the frames that gradem/scene.py describes, and lets readers walk through.

   No library, no network. Each `div.stepper` of a page holds a table, which stays what it is where
   no script runs, and its frames as JSON. The state of a figure is two numbers, route and frame;
   `show` draws everything anew from them. Colours and strokes are classes, see stepper.css. */

(() => {
  "use strict";

  const SECONDS_PER_FRAME = 1.2;

  // ---- elements and shapes ---------------------------------------------------------------------

  const element = (make) => (name, attributes = {}, ...children) => {
    const made = make(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const html = element((name) => document.createElement(name));
  const svg = element((name) => document.createElementNS("http://www.w3.org/2000/svg", name));

  const picture = (width, height, ...children) =>
    svg("svg", { viewBox: `0 0 ${width} ${height}`, style: `max-width: ${width}px` }, ...children);
  const text = ([x, y], words, kind = "") => svg("text", { x, y, class: kind }, words);
  const circle = ([cx, cy], r, kind) => svg("circle", { cx, cy, r, class: kind });
  const box = (x, y, width, height, kind) => svg("rect", { x, y, width, height, class: kind });
  const shape = (d, kind) => svg("path", { d, class: kind });
  const pair = ([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  const along = (points) => "M" + points.map(pair).join("L");

  const ICONS = {
    first: "M4 4v16h2V4zM20 4v16L8 12z",
    back: "M18 4v16L6 12z",
    next: "M6 4v16l12-8z",
    last: "M18 4v16h2V4zM4 4v16l12-8z",
    play: "M3 4v16l9-8zM12 4v16l9-8z",
    pause: "M6 4h4v16H6zM14 4h4v16h-4z",
  };
  const icon = (name) =>
    svg("svg", { viewBox: "0 0 24 24", width: 18, height: 18, "aria-hidden": "true" },
      shape(ICONS[name], "icon"));

  const key = (row, column) => `${row},${column}`;

  /* What has been set up to now: {place: text}. Later frames write over earlier ones. */
  function collected(changes, name) {
    const set = changes.flatMap((change) => change[name] || []);
    return new Map(set.map(([row, column, words]) => [key(row, column), words]));
  }

  // ---- the four kinds of panels: (panel, changes up to this frame, marks of the route) -> picture

  function drawTable(panel, changes) {
    const cells = collected(changes, "set"), lit = collected(changes.slice(-1), "lit");
    const head = panel.head.map((words) => html("th", { scope: "col" }, words));
    const rows = Array.from({ length: panel.rows }, (_, row) => html("tr", {},
      ...panel.head.map((_, column) => {
        const at = key(row, column);
        return html("td", { class: lit.has(at) ? "lit" : "" },
          html("code", {}, cells.get(at) || "\u00a0"));
      })));
    return html("div", { class: "stepper-scroll", tabindex: 0, role: "region",
      "aria-label": panel.title },
      html("table", {}, html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...rows)));
  }

  function drawGraph(panel, changes) {
    const now = changes.at(-1), notes = collected(changes, "set");
    const left = Math.min(...panel.nodes.map(([x]) => x));
    const right = Math.max(...panel.nodes.map(([x]) => x));
    const top = Math.max(...panel.nodes.map(([, y]) => y));
    const room = 28 + 7.2 * panel.longest;               // for the words beside a node
    const place = ([x, y]) => [room / 2 + (x - left) * (room + 24), 26 + (top - y) * 72];
    const lines = [], names = [];
    panel.edges.forEach(([from, to, between, partial], i) => {
      const lit = now.edges?.includes(i);
      const points = [panel.nodes[from], ...between, panel.nodes[to]].map(place);
      if (lit && now.back) points.reverse();
      const [start, second] = points, [beforeLast, end] = points.slice(-2);
      points[0] = moved(start, second, 19);              // outside of the circles
      points[points.length - 1] = moved(end, beforeLast, 19);
      lines.push(shape(along(points), lit ? "edge lit" : "edge"),
        shape(arrowhead(points.at(-1), beforeLast), lit ? "head lit" : "head"));
      const [a, b] = points;
      if (lit) names.push(text([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2 + 5], partial, "note middle"));
    });
    const nodes = panel.nodes.flatMap((node, i) => {
      const [x, y] = place(node), isInput = node[1] === 0;     // below an input there is room
      const said = [0, 1].map((row) => notes.get(key(i, row))).filter(Boolean);
      return [circle([x, y], 17, now.lit.includes(i) ? "node lit" : "node"),
        text([x, y + 5], node[2], "middle"),
        ...said.map((words, row) => isInput
          ? text([x, y + 34 + 16 * row], words, `note middle row${row}`)
          : text([x + 22, y + 13 + 16 * (row - said.length / 2)], words, `note row${row}`))];
    });
    return picture(1.5 * room + (right - left) * (room + 24), 80 + top * 72,
      ...lines, ...names, ...nodes);
  }

  /* A point, moved towards another by a length. */
  function moved([x, y], [u, v], length) {
    const part = length / Math.hypot(u - x, v - y);
    return [x + part * (u - x), y + part * (v - y)];
  }

  function arrowhead([x, y], from) {
    const angle = Math.atan2(y - from[1], x - from[0]);
    const side = (turn) => [x - 10 * Math.cos(angle + turn), y - 10 * Math.sin(angle + turn)];
    return along([side(0.4), [x, y], side(-0.4)]) + "Z";
  }

  function drawMatrix(panel, changes) {
    const now = changes.at(-1);
    const found = collected(changes, "show"), recent = collected([now], "show");
    const columns = panel.columns.length, left = 46, above = 46;
    const isWritten = columns <= 8;                      // else a cell has no room for its number
    const w = isWritten ? 58 : Math.max(12, 460 / columns), h = isWritten ? 32 : w;
    const largest = Math.max(...panel.values.flat().map(Math.abs)) || 1;
    const parts = [];
    const write = (x, y, words) => isWritten && parts.push(text([x, y + 5], words, "middle"));
    const seed = (x, y, width, height, one) => {
      parts.push(box(x, y, width, height, one ? "seed lit" : "seed"));
      write(x + width / 2, y + height / 2, one ? "1" : "0");
    };
    panel.columns.forEach((name, j) => {
      write(left + (j + 0.5) * w, 10, name);
      if (now.columns) seed(left + j * w + 1, 22, w - 2, 18, now.columns.includes(j));
    });
    panel.values.forEach((row, i) => {
      const y = above + i * h;
      write(10, y + h / 2, panel.rows[i]);
      if (now.rows) seed(left - 22, y + 1, 18, h - 2, now.rows.includes(i));
      row.forEach((value, j) => {
        const x = left + j * w, at = key(i, j);
        const cell = box(x + 1, y + 1, w - 2, h - 2, recent.has(at) ? "cell lit" : "cell");
        parts.push(cell);
        if (!found.has(at)) return;
        cell.classList.add(value < 0 ? "negative" : "known");
        cell.style.fillOpacity = 0.12 + 0.5 * Math.abs(value) / largest;
        write(x + w / 2, y + h / 2, String(value));
      });
    });
    return picture(left + columns * w + 4, above + panel.rows.length * h + 4, ...parts);
  }

  const PLOT = { width: 430, height: 330, left: 66, right: 416, top: 10, bottom: 286 };

  function drawPlot(panel, changes, marks) {
    const { width, height, left, right, top, bottom } = PLOT;
    const scale = (axis, start, end) => {
      const at = axis.log ? Math.log10 : Number, low = at(axis.low), high = at(axis.high);
      return (value) => start + (end - start) * (at(value) - low) / (high - low);
    };
    const x = scale(panel.x, left, right), y = scale(panel.y, bottom, top);
    const axes = [shape(along([[left, top], [left, bottom], [right, bottom]]), "axis"),
      text([(left + right) / 2, height - 6], panel.x.label, "middle"),
      text([-(top + bottom) / 2, 12], panel.y.label, "middle upright")];
    for (const [value, label] of panel.x.ticks) {
      axes.push(shape(`M${x(value)} ${bottom}v5`, "axis"),
        text([x(value), bottom + 19], label, "tick middle"));
    }
    for (const [value, label] of panel.y.ticks) {
      axes.push(shape(`M${left} ${y(value)}h-5`, "axis"),
        text([left - 8, y(value) + 4], label, "tick end"));
    }
    const to = ([a, b]) => [x(a), y(b)];
    const all = [...panel.marks, ...marks, ...(changes.at(-1).marks || [])];
    const inside = [left, top, right - left, bottom - top];       // what is outside is cut off
    const drawn = all.flatMap((mark) =>
      MARKS[mark.kind](mark, (mark.points || panel.points).map(to), to));
    return picture(width, height, ...axes, svg("svg", { x: left, y: top, width: right - left,
      height: bottom - top, viewBox: inside.join(" ") }, ...drawn));
  }

  const DRAW = { table: drawTable, graph: drawGraph, matrix: drawMatrix, plot: drawPlot };

  // ---- the marks of a plot: (mark, its points on paper, data to paper) -> elements -------------

  const MARKS = {
    line(mark, points) {
      const line = shape(along(points), `line c${mark.colour} d${mark.dash}`);
      if (!mark.name) return [line];
      const [x, y] = points.at(mark.at), onRight = x > PLOT.width / 2;
      const at = [x + (onRight ? -6 : 6), y - 8];
      return [line, text(at, mark.name, onRight ? "name end" : "name")];
    },

    dots(mark, points) {
      const colour = (i) => (mark.colours ? mark.colours[i] : mark.colour);
      return points.map((point, i) => circle(point, mark.size, `f${colour(i)}`));
    },

    pies(mark, points) {
      const radius = points.length > 150 ? 4 : 6;
      return points.flatMap((point, i) => slices(point, radius, mark.shares[i]));
    },

    ellipses(mark, _, to) {
      const turns = Array.from({ length: 72 }, (_, i) => i * Math.PI / 36);
      return mark.of.flatMap(([x, y, a, b, c], k) => [2, 1].map((r) => {
        const round = turns.map((t) => [r * Math.cos(t), r * Math.sin(t)]);
        return shape(along(round.map(([u, v]) => to([x + a * u, y + b * u + c * v]))) + "Z",
          `ellipse c${k} f${k} d${k} r${r}`);
      }));
    },

    crosses(mark, points) {
      return points.flatMap(([x, y], k) => {
        const cross = `M${x - 6} ${y - 6}l12 12M${x + 6} ${y - 6}l-12 12`;
        return [shape(cross, "halo"), shape(cross, `cross c${k}`)];
      });
    },

    rule(mark, _, to) {
      return [shape(`M${to([mark.x, 1])[0]} 0v${PLOT.height}`, "rule")];
    },
  };

  /* A pie from twelve o'clock on; a share of less than a hundredth is not to be seen. */
  function slices([x, y], radius, shares) {
    const whole = shares.findIndex((share) => share > 0.99);
    if (whole >= 0) return [circle([x, y], radius, `f${whole}`)];
    const at = (turn) => {
      const angle = 2 * Math.PI * turn;
      return pair([x + radius * Math.sin(angle), y - radius * Math.cos(angle)]);
    };
    let turn = 0;
    return shares.flatMap((share, k) => {
      const start = at(turn), end = at(turn += share), large = share > 0.5 ? 1 : 0;
      if (share < 0.01) return [];
      return [shape(`M${x} ${y}L${start}A${radius} ${radius} 0 ${large} 1 ${end}Z`, `f${k}`)];
    });
  }

  // ---- one figure ------------------------------------------------------------------------------

  function start(home) {
    const scene = JSON.parse(home.querySelector("script").textContent);
    const figure = home.closest("figure") || home;
    let route = scene.routes[0], frame = route.first, playing = null;

    const button = (words, action) => {
      const made = html("button", { type: "button", class: words }, icon(words));
      made.addEventListener("click", action);
      return named(made, words);
    };
    const first = button("first", () => jump(0)), back = button("back", () => jump(frame - 1));
    const next = button("next", () => jump(frame + 1)), last = button("last", () => jump(Infinity));
    const player = button("play", () => (playing ? jump(frame) : play()));
    const slider = html("input", { type: "range", min: 0, "aria-label": scene.unit });
    slider.addEventListener("input", () => jump(Number(slider.value)));
    const counter = html("output", { class: "stepper-count", "aria-hidden": "true" });
    const says = html("p", { "aria-live": "polite" });
    const longest = scene.routes.flatMap((way) => way.frames.map((each) => each.says))
      .reduce((a, b) => (b.length > a.length ? b : a));
    const panels = html("div", { class: "stepper-panels" });
    const stage = html("div", { class: "stepper-stage" }, ...choice(),
      html("div", { class: "stepper-controls", role: "group",
        "aria-label": "walk through the figure" },
        first, back, next, last, player, slider, counter),
      html("div", { class: "stepper-words" }, says,
        html("p", { class: "stepper-longest", "aria-hidden": "true" }, longest)),
      panels);
    stage.addEventListener("keydown", pressed);

    const table = home.querySelector(".stepper-table");
    const folded = html("details", { class: "stepper-folded" },
      html("summary", {}, "The same as a table"), table);
    table.setAttribute("tabindex", 0);
    table.setAttribute("role", "region");
    const captions = [...table.querySelectorAll("caption")].map((each) => each.textContent);
    table.setAttribute("aria-label", captions.join(", "));
    home.prepend(stage, folded);
    home.classList.add("live");

    function named(made, words) {
      made.setAttribute("aria-label", words);
      made.setAttribute("title", words);
      return made;
    }

    /* Where there are several routes, a list to choose from. */
    function choice() {
      if (scene.routes.length === 1) return [];
      const select = html("select", { "aria-label": "order" },
        ...scene.routes.map((way, i) => html("option", { value: i }, way.name)));
      select.addEventListener("change", () => {
        route = scene.routes[select.value];
        jump(route.first);
      });
      return [html("div", { class: "stepper-choice" }, select)];
    }

    function go(wanted) {
      const end = route.frames.length - 1;
      frame = Math.max(0, Math.min(end, wanted));
      if (frame === end) stop();
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
      playing = setInterval(() => go(frame + 1), 1000 * SECONDS_PER_FRAME);
      go(frame === route.frames.length - 1 ? 0 : frame + 1);
    }

    function show() {
      const end = route.frames.length - 1, words = route.frames[frame].says;
      const sofar = route.frames.slice(0, frame + 1);
      panels.replaceChildren(...scene.panels.map((panel, i) => {
        const drawn = DRAW[panel.kind](panel, sofar.map((each) => each.panels[i]),
          route.still[i] || []);
        if (panel.kind !== "table") {
          drawn.setAttribute("role", "img");
          drawn.setAttribute("aria-label", `${panel.title}. ${words}`);
        }
        return html("div", { class: `stepper-panel of-${panel.kind}` },
          html("p", { class: "stepper-title" }, panel.title), drawn);
      }));
      says.textContent = words;
      slider.max = end;
      slider.value = frame;
      slider.setAttribute("aria-valuetext", `${frame} of ${end}`);
      counter.textContent = `${frame} / ${end}`;
      // not `disabled`, which would take the focus from the reader who holds the key
      for (const each of [first, back]) each.setAttribute("aria-disabled", frame === 0);
      for (const each of [next, last]) each.setAttribute("aria-disabled", frame === end);
      player.replaceChildren(icon(playing ? "pause" : "play"));
      named(player, playing ? "pause" : "play");
    }

    function pressed(event) {
      const places = { ArrowLeft: frame - 1, ArrowRight: frame + 1, Home: 0, End: Infinity };
      const wanted = places[event.key];
      const isForOther = event.altKey || event.ctrlKey || event.metaKey ||
        event.target.closest("input, select, .stepper-scroll");
      if (wanted === undefined || isForOther) return;
      event.preventDefault();
      jump(wanted);
    }

    /* #fig-name/7 leads to this figure, and to its frame 7. */
    function follow() {
      const [name, number] = decodeURIComponent(location.hash.slice(1)).split("/");
      if (!name || name !== figure.id || number === undefined) return;
      jump(Number(number) || 0);
      const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
      figure.scrollIntoView({ behavior: isStill ? "auto" : "smooth" });
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
