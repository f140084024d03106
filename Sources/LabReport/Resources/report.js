"use strict";
// The timeline: one canvas, drawn anew whenever the view changes. Times are microseconds since
// the run's first moment.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const box = document.getElementById("timeline");
  const canvas = box.querySelector("canvas");
  const pen = canvas.getContext("2d");
  const tip = document.getElementById("tip");
  const margin = Math.max(data.length * 0.01, 1000);
  const whole = { from: -margin, to: data.length + margin };
  let view = { ...whole };
  let width = 0;
  let lanes = [];
  let hits = [];

  const time = (us) => {
    if (Math.round(us) === 0) return "0 s";
    const sign = us < 0 ? "-" : "";
    us = Math.abs(us);
    if (us >= 1e6) return sign + +(us / 1e6).toFixed(us < 1e7 ? 4 : 3) + " s";
    if (us >= 1000) return sign + +(us / 1000).toPrecision(4) + " ms";
    return sign + Math.round(us) + " µs";
  };
  const colour = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const x = (us) => ((us - view.from) / (view.to - view.from)) * width;
  const us = (px) => view.from + (px / width) * (view.to - view.from);
  const end = (span) => (span.to === undefined || span.to === null ? data.length : span.to);
  const isSeen = (from, to) => to >= view.from && from <= view.to;

  // What lanes there are, from top to bottom, and how high each is.
  function arrange() {
    lanes = [{ kind: "axis", height: 22 }];
    if (data.steps.length) lanes.push({ kind: "steps", height: 38, title: "steps" });
    if (data.violations.length) lanes.push({ kind: "checks", height: 38, title: "checks" });
    for (const node of data.nodes) {
      const addresses = [...new Set(node.held.map((held) => held.address))];
      const hasFrames = node.adverts.length || node.announcements.length;
      lanes.push({
        kind: "node", node, addresses, title: node.name,
        height: 44 + addresses.length * 16 + (hasFrames ? 16 : 0),
      });
    }
    for (const probe of data.probes) {
      lanes.push({ kind: "probe", probe, title: probe.name, height: 92 });
    }
    let y = 0;
    for (const lane of lanes) { lane.y = y; y += lane.height; }
    return y;
  }

  function bar(from, to, y, height, fill, words, isOutlined) {
    if (!isSeen(from, to)) return;
    const left = Math.max(x(from), -5);
    const right = Math.min(Math.max(x(to), x(from) + 1.5), width + 5);
    pen.fillStyle = pen.strokeStyle = fill;
    if (isOutlined) pen.strokeRect(left + 0.5, y + 0.5, right - left - 1, height - 1);
    else pen.fillRect(left, y, right - left, height);
    hits.push({ left, right: Math.max(right, left + 6), y, bottom: y + height, words, from });
    return { left: Math.max(left, 0), right: Math.min(right, width) };
  }

  function label(text, place, y, fill) {
    if (!place || place.right - place.left < 30) return;
    pen.save();
    pen.beginPath();
    pen.rect(place.left, y - 14, place.right - place.left, 20);
    pen.clip();
    pen.fillStyle = fill;
    pen.fillText(text, place.left + 5, y);
    pen.restore();
  }

  // Points so close that they fall on one pixel are drawn once.
  function ticks(times, y, height, fill, words) {
    pen.fillStyle = fill;
    let last = -10;
    times.forEach((at, index) => {
      if (!isSeen(at, at)) return;
      const place = x(at);
      if (place - last < 0.7) return;
      last = place;
      pen.fillRect(place - 0.75, y, 1.5, height);
      hits.push({ left: place - 3, right: place + 3, y, bottom: y + height, from: at,
        words: () => words(index) });
    });
  }

  const drawers = {
    axis(lane) {
      const span = view.to - view.from;
      const rough = span / Math.max(3, width / 110);
      const power = 10 ** Math.floor(Math.log10(rough));
      const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
      pen.fillStyle = colour("faint");
      for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
        // One that the edge would cut off says nothing.
        const isWhole = x(at) + 4 + pen.measureText(time(at)).width <= width;
        if (isWhole) pen.fillText(time(at), x(at) + 4, lane.y + 14);
        pen.globalAlpha = 0.25;
        pen.fillRect(x(at), lane.y, 1, 1e4);
        pen.globalAlpha = 1;
      }
    },
    steps(lane) {
      for (const step of data.steps) {
        if (step.verdict === "not run") continue;
        const fill = colour(step.verdict === "passed" ? "passed"
          : step.verdict === "failed" ? "failed" : "warning");
        const words = `${step.number}. ${step.summary}: ${step.verdict} ${step.text}`;
        const place = bar(step.from, end(step), lane.y + 16, 16, fill, words);
        label(String(step.number), place, lane.y + 28, colour("card"));
        // Steps follow one another without a gap: a line of the ground tells them apart.
        pen.fillStyle = colour("card");
        pen.fillRect(x(step.from), lane.y + 16, 1, 16);
      }
    },
    checks(lane) {
      for (const one of data.violations) {
        const place = bar(one.from, end(one), lane.y + 16, 16, colour("failed"),
          `${one.check}: ${one.text}`);
        label(one.check, place, lane.y + 28, colour("card"));
      }
    },
    node(lane) {
      const { node } = lane;
      for (const span of node.states) {
        const fill = colour(span.state.toLowerCase());
        const to = end(span);
        const words = `${node.name} ${span.state} for ${time(to - span.from)}`;
        const place = bar(span.from, to, lane.y + 18, 18, fill, words, span.state === "down");
        const isDark = span.state === "down";
        label(span.state, place, lane.y + 31, colour(isDark ? "faint" : "card"));
      }
      lane.addresses.forEach((address, row) => {
        for (const held of node.held.filter((held) => held.address === address)) {
          const words = `${address} on ${node.name} for ${time(end(held) - held.from)}`;
          const top = lane.y + 38 + row * 16;
          const place = bar(held.from, end(held), top, 14, colour("accent"), words);
          label(address, place, top + 11, colour("card"));
        }
      });
      const wire = lane.y + 40 + lane.addresses.length * 16;
      ticks(node.adverts.map((advert) => advert[0]), wire, 10, colour("text"), (index) => {
        const [, vrid, priority] = node.adverts[index];
        return `advertisement of ${node.name}: VRID ${vrid}, priority ${priority}`
          + (priority === 0 ? " (resigns)" : "");
      });
      ticks(node.announcements, wire, 14, colour("accent"),
        () => `gratuitous announcement from ${node.name}`);
      // What was done is drawn over what came of it, often at the same moment.
      for (const mark of [...node.marks].sort((a, b) => a.isFault - b.isFault)) {
        if (!isSeen(mark.time, mark.time)) continue;
        const place = x(mark.time);
        pen.fillStyle = colour(mark.isFault ? "failed" : "warning");
        pen.beginPath();
        pen.moveTo(place - 6, lane.y + 6);
        pen.lineTo(place + 6, lane.y + 6);
        pen.lineTo(place, lane.y + 17);
        pen.fill();
        if (mark.isFault) pen.fillRect(place - 0.5, lane.y + 17, 1, lane.height - 20);
        hits.push({ left: place - 8, right: place + 8, y: lane.y, bottom: lane.y + 18,
          words: mark.text, from: mark.time });
      }
    },
    probe(lane) {
      const { probe } = lane;
      for (const outage of probe.outages) {
        const words = `outage of ${probe.name}: ${time(end(outage) - outage.from)}, `
          + `${outage.lost} lost`;
        pen.globalAlpha = 0.25;
        bar(outage.from, end(outage), lane.y + 18, 70, colour("failed"), words);
        pen.globalAlpha = 1;
      }
      const most = Math.max(1000, ...probe.percentiles.map((one) => one.time));
      const height = (took) => 66 * (Math.log10(Math.max(took, 10)) - 1)
        / (Math.log10(most) - 1);
      const scale = [];
      for (let took = 100; took <= most; took *= 10) scale.push(took);
      pen.fillStyle = colour("faint");
      pen.globalAlpha = 0.25;
      for (const took of scale) pen.fillRect(0, lane.y + 87 - height(took), width, 1);
      pen.globalAlpha = 1;
      let last = -10;
      for (const [due, took, isSuccess] of probe.results) {
        if (!isSeen(due, due)) continue;
        const place = x(due);
        if (isSuccess && place - last < 0.7) continue;
        if (isSuccess) last = place;
        const y = isSuccess ? lane.y + 86 - height(took) : lane.y + 20;
        pen.fillStyle = colour(isSuccess ? "passed" : "failed");
        pen.fillRect(place - 1, y, isSuccess ? 2 : 1.5, isSuccess ? 2.5 : 7);
        hits.push({ left: place - 3, right: place + 3, y: y - 3, bottom: y + 8, from: due,
          words: `${probe.name}: ${isSuccess ? "answered" : "failed"} after ${time(took)}` });
      }
      pen.save();
      pen.font = "10px system-ui, sans-serif";
      pen.textAlign = "right";
      pen.lineWidth = 3;
      pen.strokeStyle = colour("card");
      pen.fillStyle = colour("faint");
      for (const took of scale) {
        const y = lane.y + 85 - height(took);
        pen.strokeText(time(took), width - 4, y);
        pen.fillText(time(took), width - 4, y);
      }
      pen.restore();
    },
  };

  function draw() {
    const scale = window.devicePixelRatio || 1;
    width = box.clientWidth;
    const height = arrange() + 6;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = height + "px";
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.font = "12px system-ui, sans-serif";
    hits = [];
    for (const lane of lanes) {
      pen.fillStyle = colour("line");
      if (lane.y > 0) pen.fillRect(0, lane.y, width, 1);
      drawers[lane.kind](lane);
      if (lane.title) {
        pen.font = "600 12px system-ui, sans-serif";
        pen.lineWidth = 4;
        pen.strokeStyle = colour("card");
        pen.strokeText(lane.title, 4, lane.y + 14);
        pen.lineWidth = 1;
        pen.fillStyle = colour("text");
        pen.fillText(lane.title, 4, lane.y + 14);
        pen.font = "12px system-ui, sans-serif";
      }
    }
    pen.globalAlpha = 0.35;
    for (const stall of data.stalls) {
      bar(stall.from, end(stall), 0, height, colour("warning"),
        `this machine stood still for ${time(end(stall) - stall.from)}`);
    }
    pen.globalAlpha = 1;
    document.getElementById("range").textContent =
      `${time(Math.max(view.from, 0))} to ${time(Math.min(view.to, data.length))}`;
  }

  function show(from, to) {
    const least = 20;
    const middle = (from + to) / 2;
    const half = Math.min(Math.max(to - from, least), whole.to - whole.from) / 2;
    const shift = Math.max(whole.from - (middle - half), 0) + Math.min(whole.to - (middle + half), 0);
    view = { from: middle - half + shift, to: middle + half + shift };
    draw();
  }
  function zoom(factor, at = (view.from + view.to) / 2) {
    show(at - (at - view.from) * factor, at + (view.to - at) * factor);
  }
  const pan = (part) => {
    const by = (view.to - view.from) * part;
    show(view.from + by, view.to + by);
  };

  function point(event) {
    const place = canvas.getBoundingClientRect();
    return { px: event.clientX - place.left, py: event.clientY - place.top };
  }
  function tell(event) {
    const { px, py } = point(event);
    const found = hits.filter((hit) =>
      px >= hit.left && px <= hit.right && py >= hit.y && py <= hit.bottom).pop();
    tip.hidden = !found;
    if (!found) return;
    const words = typeof found.words === "function" ? found.words() : found.words;
    tip.textContent = `${time(found.from)}  ${words}`;
    tip.style.left = Math.max(0, Math.min(px + 12, width - tip.offsetWidth - 4)) + "px";
    tip.style.top = py + 14 + "px";
  }

  const pointers = new Map();
  canvas.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, point(event));
    canvas.setPointerCapture(event.pointerId);
    box.classList.add("dragging");
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return tell(event);
    const now = point(event);
    if (pointers.size === 1) {
      const by = us(before.px) - us(now.px);
      show(view.from + by, view.to + by);
    } else {
      const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
      const distance = Math.abs(now.px - other.px);
      if (distance > 4) zoom(Math.abs(before.px - other.px) / distance, us(other.px));
    }
    pointers.set(event.pointerId, now);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => {
      pointers.delete(event.pointerId);
      box.classList.remove("dragging");
      tell(event);
    });
  }
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
  canvas.addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      zoom(Math.exp(event.deltaY / 200), us(point(event).px));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      pan(event.deltaX / width);
    }
  }, { passive: false });
  canvas.addEventListener("dblclick", (event) => zoom(0.4, us(point(event).px)));
  box.addEventListener("keydown", (event) => {
    const keys = { ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2), "+": () => zoom(0.6),
      "=": () => zoom(0.6), "-": () => zoom(1 / 0.6), "0": () => show(whole.from, whole.to) };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  document.getElementById("in").onclick = () => zoom(0.5);
  document.getElementById("out").onclick = () => zoom(2);
  document.getElementById("all").onclick = () => show(whole.from, whole.to);

  // Steps and log entries lead to their moment.
  function follow(row) {
    const from = +row.dataset.from;
    const to = row.dataset.to ? +row.dataset.to : from;
    const around = Math.max((to - from) * 0.3, 50000);
    show(from - around, to + around);
    document.getElementById("when").scrollIntoView({ behavior: "smooth" });
  }
  for (const row of document.querySelectorAll("tr[data-from]")) {
    row.tabIndex = 0;
    row.addEventListener("click", () => follow(row));
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") follow(row); });
  }
  const filter = document.getElementById("filter");
  filter.addEventListener("input", () => {
    const wanted = filter.value.toLowerCase();
    for (const row of document.querySelectorAll(".log tbody tr")) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
    }
  });

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(() => { if (box.clientWidth !== width) draw(); }).observe(box);
  draw();
})();
