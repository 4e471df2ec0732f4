"use strict";

const byId = (id) => document.getElementById(id);
const player = byId("player");
const canvas = byId("spectrogram");
const STOPS = [[10, 12, 28], [51, 25, 94], [132, 41, 111], [207, 75, 82], [242, 148, 60], [251, 240, 176]];
const KEYS = { u: "unknown", b: "bad", s: "skip", z: "undo", Backspace: "undo" };
const MAX_ROWS = 500; // of the list of answers
let state = null; // the last answer of the server
let question = null; // the clip that is shown
let busy = false;
let trail = []; // clips that were answered, for the key back
let place = 0; // position in the trail; its length is the open question
let dragFrom = null;
const media = new Map(); // clip to a promise of its sound and picture

// Requests

async function request(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The program does not answer. Start it again; all answers are saved.");
  }
  if (!response.ok) {
    const found = await response.json().catch(() => ({}));
    throw new Error(found.error || `error ${response.status}`);
  }
  return response;
}

async function ask(path, body) {
  return (await request(path, body)).json();
}

function load(clip) {
  if (media.has(clip)) {
    const known = media.get(clip);
    media.delete(clip); // and set again: the first one is the least recently used
    media.set(clip, known);
  } else {
    const sound = request(`sound/${clip}`).then((r) => r.blob()).then((b) => URL.createObjectURL(b));
    const picture = request(`spectrogram/${clip}`).then((r) => r.arrayBuffer());
    const both = Promise.all([sound, picture]);
    both.catch(() => media.delete(clip));
    media.set(clip, both);
    const old = [...media.keys()].filter((one) => !question || one !== question.clip);
    if (media.size > 12) {
      const [oldest, loaded] = [old[0], media.get(old[0])];
      media.delete(oldest);
      loaded.then(([url]) => URL.revokeObjectURL(url)).catch(() => {});
    }
  }
  return media.get(clip);
}

function complain(error) {
  byId("message").hidden = !error;
  byId("message").textContent = error ? error.message : "";
}

function say(text) {
  byId("said").textContent = text;
}

// Answers

async function act(body) {
  if (busy) return;
  busy = true;
  try {
    const shown = await ask("answer", body);
    complain(null);
    if (body.action === "undo") {
      trail = trail.filter((clip) => clip !== shown.question.clip);
      place = trail.length;
    } else if ("clip" in body) {
      trail = [...trail.filter((clip) => clip !== body.clip), body.clip];
      place = trail.length;
    }
    if (body.action !== "save") say(describe(body));
    show(shown);
    if (!byId("answers").hidden) await review();
  } catch (error) {
    complain(error);
  } finally {
    busy = false;
  }
}

function describe(body) {
  const words = { unknown: "Unknown", bad: "Bad recording", skip: "Skipped", undo: "Taken back" };
  return words[body.action] || `Labelled ${body.label}`;
}

function answer(label) {
  if (!question) return;
  const body = { action: "label", clip: question.clip, label };
  const trim = chosenPart();
  if (trim) [body.start, body.end] = trim;
  act(body);
}

function answerKind(action) {
  if (action === "undo") act({ action });
  else if (question) act({ action, clip: question.clip });
}

async function go(step) {
  const target = place + step;
  if (busy || target < 0) return;
  try {
    place = Math.min(target, trail.length);
    show(place < trail.length ? await ask(`clip/${trail[place]}`) : await ask("next"));
  } catch (error) {
    complain(error);
  }
}

async function showClip(clip) {
  try {
    place = trail.includes(clip) ? trail.indexOf(clip) : trail.length;
    show(await ask(`clip/${clip}`));
    byId("ask").scrollIntoView();
    byId("name").focus?.();
  } catch (error) {
    complain(error);
  }
}

// The question

function show(next) {
  update(next);
  const old = question;
  question = next.question;
  byId("ask").classList.toggle("done", !question);
  if (!question) {
    byId("name").textContent = "Every clip has an answer";
    byId("reason").textContent = "";
    player.removeAttribute("src");
    return;
  }
  byId("name").textContent = question.name;
  const reasons = { first: "", coverage: "Asked because it represents many clips.", uncertain: "Asked because it represents clips whose class is uncertain." };
  const given = question.answer && (question.answer.label || question.answer.kind);
  byId("reason").textContent = given ? `Answered: ${given}. Another answer replaces it.` : reasons[question.reason] || "";
  if (question.problem) complain(new Error(question.problem));
  byId("start").value = question.answer && question.answer.start !== null ? question.answer.start : "";
  byId("end").value = question.answer && question.answer.end !== null ? question.answer.end : "";
  showChosen();
  showBelief(question.proba);
  showClasses(next.classes);
  if (!old || old.clip !== question.clip) play(question.clip);
  for (const clip of next.upcoming) load(clip).catch(() => {});
}

async function play(clip) {
  byId("head").hidden = true;
  player.pause();
  try {
    const [url, picture] = await load(clip);
    if (!question || question.clip !== clip) return;
    player.src = url;
    player.loop = byId("loop").checked;
    player.playbackRate = Number(byId("speed").value);
    draw(picture);
    player.play().catch(() => {}); // the browser waits for a first key or click
  } catch (error) {
    if (question && question.clip === clip) {
      canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
      complain(error);
    }
  }
}

function draw(buffer) {
  const [bands, frames, highest] = new Uint32Array(buffer.slice(0, 12));
  const levels = new Uint8Array(buffer, 12);
  const picture = new ImageData(frames, bands);
  for (let y = 0; y < bands; y += 1) {
    for (let x = 0; x < frames; x += 1) {
      const position = levels[(bands - 1 - y) * frames + x] / 255 * (STOPS.length - 1);
      const lower = Math.min(Math.floor(position), STOPS.length - 2);
      for (let c = 0; c < 3; c += 1) {
        const [from, to] = [STOPS[lower][c], STOPS[lower + 1][c]];
        picture.data[4 * (y * frames + x) + c] = from + (to - from) * (position - lower);
      }
      picture.data[4 * (y * frames + x) + 3] = 255;
    }
  }
  canvas.width = frames;
  canvas.height = bands;
  canvas.getContext("2d").putImageData(picture, 0, 0);
  canvas.setAttribute("aria-label", `Spectrogram of ${question.name}, up to ${Math.round(highest / 100) / 10} kHz`);
}

function showBelief(proba) {
  const list = byId("belief");
  list.replaceChildren();
  if (!proba.length) {
    const item = list.appendChild(document.createElement("li"));
    item.className = "plain";
    item.textContent = "Nothing yet: it needs labels of two classes, and the analysis of this clip.";
  }
  for (const [name, value] of proba) list.append(makeBar(name, value, percent(value)));
}

function makeBar(name, share, text) {
  const item = document.createElement("li");
  const [label, track, figure] = ["span", "div", "span"].map((kind) => item.appendChild(document.createElement(kind)));
  label.textContent = label.title = name;
  track.className = "track";
  track.setAttribute("aria-hidden", "true");
  track.appendChild(document.createElement("div")).style.width = `${100 * share}%`;
  figure.textContent = text;
  return item;
}

function showClasses(classes) {
  const given = question && question.answer ? question.answer.label : "";
  byId("classes").replaceChildren(...classes.map(({ name }, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", String(name === given));
    if (i < 9) {
      button.appendChild(document.createElement("kbd")).textContent = i + 1;
      button.setAttribute("aria-keyshortcuts", String(i + 1));
    }
    button.append(name);
    button.addEventListener("click", () => answer(name));
    return button;
  }));
  byId("known").replaceChildren(...classes.map(({ name }) => {
    const option = document.createElement("option");
    option.value = name;
    return option;
  }));
}

// Trimming

const length = () => (question && question.end !== null ? question.end - question.start : player.duration || 0);

function chosenPart() {
  const [start, end] = [byId("start").value, byId("end").value];
  if (start === "" && end === "") return null;
  const last = question.end !== null ? question.end : question.start + length();
  return [start === "" ? question.start : Number(start), end === "" ? last : Number(end)];
}

function showChosen() {
  const part = question && chosenPart();
  byId("chosen").hidden = !part;
  if (!part || !length()) return;
  const [from, to] = part.map((t) => Math.min(Math.max((t - question.start) / length(), 0), 1));
  byId("chosen").style.left = `${100 * from}%`;
  byId("chosen").style.width = `${100 * Math.max(0, to - from)}%`;
}

function timeAt(event) {
  const box = canvas.getBoundingClientRect();
  return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * length();
}

canvas.addEventListener("pointerdown", (event) => {
  if (!question || !length()) return;
  dragFrom = timeAt(event);
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  if (dragFrom === null || Math.abs(timeAt(event) - dragFrom) < 0.02 * length()) return;
  const ends = [dragFrom, timeAt(event)].sort((a, b) => a - b);
  byId("start").value = (question.start + ends[0]).toFixed(2);
  byId("end").value = Math.min(question.start + ends[1], question.end ?? Infinity).toFixed(2);
  showChosen();
});
for (const kind of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(kind, (event) => {
    if (dragFrom !== null && kind === "pointerup" && byId("chosen").hidden) player.currentTime = timeAt(event);
    dragFrom = null;
  });
}
byId("start").addEventListener("input", showChosen);
byId("end").addEventListener("input", showChosen);
byId("whole").addEventListener("click", () => {
  byId("start").value = byId("end").value = "";
  showChosen();
});

// Progress

function update(next) {
  state = next;
  const { label, unknown, bad, skip } = state.answers;
  byId("count").textContent = `${label} of ${state.n_clips} clips labelled` +
    (unknown + bad ? `, ${unknown} unknown, ${bad} bad` : "") + (skip ? `, ${skip} skipped` : "");
  byId("bar").max = state.n_clips;
  byId("bar").value = label + unknown + bad;
  const { done, problems, error } = state.features;
  byId("features").textContent = error ? `The computation has stopped: ${error}` :
    (done < state.n_clips ? `${done} of ${state.n_clips} clips analysed` : "") +
    (problems ? ` ${problems} cannot be read` : "");
  const most = Math.max(1, ...state.classes.map((one) => one.n));
  byId("counts").replaceChildren(...state.classes.map(({ name, n }) => makeBar(name, n / most, String(n))));
  document.querySelector('[data-action="undo"]').disabled = !state.can_undo;
  byId("back").disabled = place < 1;
  showEstimate();
  showSaved(state.saved);
}

const percent = (share) => `${Math.round(100 * share)}\u00a0%`;

function showEstimate() {
  const found = state.estimate;
  byId("accuracy").textContent = found
    ? `Estimated accuracy: ${percent(found.accuracy)} (${percent(found.low)} to ${percent(found.high)})`
    : "The accuracy is estimated from ten labels of two classes on.";
  byId("expected").textContent = found
    ? `The model is expected to be right for about ${percent(found.accuracy)} of the clips that have no label yet; ` +
      `the true share usually lies between ${percent(found.low)} and ${percent(found.high)}, and otherwise above. ` +
      "Recordings of another place or device can be more difficult."
    : "With ten labels or more, the expected accuracy is shown here.";
  const history = state.history;
  const svg = byId("growth");
  svg.toggleAttribute("hidden", history.length < 2); // it has no property of this name
  if (history.length < 2) return;
  const last = history[history.length - 1].n_labelled;
  const first = history[0].n_labelled;
  const x = (n) => 34 + 276 * (n - first) / Math.max(1, last - first);
  const y = (share) => 92 - 84 * share;
  const points = (name) => history.map((one) => `${x(one.n_labelled).toFixed(1)},${y(one[name]).toFixed(1)}`);
  svg.replaceChildren(
    ...[0, 0.5, 1].flatMap((share) => [
      mark("line", { x1: 34, x2: 310, y1: y(share), y2: y(share), class: "axis" }),
      mark("text", { x: 30, y: y(share) + 4, "text-anchor": "end" }, `${100 * share}%`),
    ]),
    mark("polygon", { points: [...points("low"), ...points("high").reverse()].join(" "), class: "band" }),
    mark("polyline", { points: points("accuracy").join(" "), class: "line" }),
    mark("text", { x: 34, y: 108 }, `${first} labels`),
    mark("text", { x: 310, y: 108, "text-anchor": "end" }, `${last} labels`),
  );
  svg.setAttribute("aria-label", `Estimated accuracy from ${first} to ${last} labels: ${percent(history[0].accuracy)} to ${percent(history[history.length - 1].accuracy)}`);
}

function mark(kind, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.textContent = text;
  return element;
}

// The end

async function showOutlook() {
  byId("outlook").textContent = "Computing …";
  try {
    const { outlook, commands } = await ask("outlook");
    byId("outlook").textContent = outlook
      ? `Ten more labels would raise the accuracy by about ${(100 * outlook.gain).toFixed(1)} points ` +
        `(${(100 * outlook.low).toFixed(1)} to ${(100 * outlook.high).toFixed(1)}), if they were of random clips.`
      : "There are too few labels to tell: this takes 24 labels of two classes or more.";
    byId("commands").textContent = commands.join("\n");
  } catch (error) {
    byId("outlook").textContent = "";
    complain(error);
  }
}

function showSaved(saved) {
  const words = {
    none: "", fitting: "Fitting the model …",
    saved: `Saved ${saved.path} (${saved.megabytes} MB). Use it with these commands:`, failed: `Not saved: ${saved.error}`,
  };
  if (byId("saved").textContent !== words[saved.status]) byId("saved").textContent = words[saved.status];
  byId("save").disabled = saved.status === "fitting";
  if (saved.status === "saved" && byId("commands").hidden) {
    ask("outlook").then(({ commands }) => {
      byId("commands").textContent = commands.join("\n");
      byId("commands").hidden = false;
    }).catch(complain);
  }
}

async function review() {
  try {
    const rows = await ask("review");
    byId("answers").hidden = false;
    byId("answers").tBodies[0].replaceChildren(...rows.slice(0, MAX_ROWS).map(makeRow));
    byId("more").textContent = rows.length > MAX_ROWS ? `The first ${MAX_ROWS} of ${rows.length} are shown.` : "";
  } catch (error) {
    complain(error);
  }
}

function makeRow(row) {
  const line = document.createElement("tr");
  const text = row.kind === "label" ? row.label : { unknown: "unknown", bad: "bad recording", skip: "skipped" }[row.kind];
  const part = row.start === null ? "" : ` (${row.start} to ${row.end} s)`;
  for (const value of [row.name + part, text, row.predicted, row.predicted ? percent(row.proba) : ""]) {
    line.appendChild(document.createElement("td")).textContent = value;
  }
  if (row.predicted && row.predicted !== row.label) line.children[2].className = "differs";
  const button = line.appendChild(document.createElement("td")).appendChild(document.createElement("button"));
  button.type = "button";
  button.textContent = "Correct";
  button.setAttribute("aria-label", `Correct ${row.name}`);
  button.addEventListener("click", () => showClip(row.clip));
  return line;
}

// Controls

byId("loop").addEventListener("change", () => { player.loop = byId("loop").checked; });
byId("speed").addEventListener("change", () => { player.playbackRate = Number(byId("speed").value); });
player.addEventListener("timeupdate", moveHead);
player.addEventListener("loadedmetadata", showChosen);
byId("back").addEventListener("click", () => go(-1));
byId("forward").addEventListener("click", () => go(1));
byId("refresh").addEventListener("click", review);
byId("ask-outlook").addEventListener("click", showOutlook);
byId("save").addEventListener("click", () => act({ action: "save" }));
for (const button of document.querySelectorAll("[data-action]")) {
  button.addEventListener("click", () => answerKind(button.dataset.action));
}
byId("new").addEventListener("submit", (event) => {
  event.preventDefault();
  const typed = byId("label").value.trim();
  if (!typed) return;
  const known = state.classes.find(({ name }) => name.toLowerCase() === typed.toLowerCase());
  byId("label").value = "";
  byId("label").blur();
  answer(known ? known.name : typed);
});

function moveHead() {
  byId("head").hidden = !player.duration;
  if (player.duration) byId("head").style.left = `${100 * player.currentTime / player.duration}%`;
}

function togglePlay() {
  if (player.paused) player.play().catch(() => {});
  else player.pause();
}

document.addEventListener("keydown", (event) => {
  const field = event.target.closest("input:not([type=checkbox]), select, textarea");
  if (event.key === "Escape" && field) field.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || field) return;
  const { key } = event;
  if (key === " " && event.target.closest("button, summary, a, audio, input")) return;
  const number = /^[1-9]$/.test(key) ? Number(key) : 0;
  if (event.repeat && (number || key in KEYS)) return; // a key that is held answers once
  if (number) {
    if (state && number <= state.classes.length) answer(state.classes[number - 1].name);
  } else if (key in KEYS) answerKind(KEYS[key]);
  else if (key === "ArrowLeft") go(-1);
  else if (key === "ArrowRight") go(1);
  else if (key === " ") togglePlay();
  else if (key === "l") byId("loop").click();
  else if (key === "n" || key === "/") byId("label").focus();
  else if (key.length === 1 && /\p{L}/u.test(key)) {
    byId("label").value = key;
    byId("label").focus();
  } else return;
  event.preventDefault();
});

async function refresh() {
  if (!busy && !document.hidden) {
    try {
      const next = question ? await ask(`clip/${question.clip}`) : await ask("state");
      if (!busy && (!next.question || (question && next.question.clip === question.clip))) {
        update(next);
        if (next.question) {
          question.proba = next.question.proba;
          showBelief(question.proba);
        }
      }
    } catch (error) {
      complain(error);
    }
  }
  setTimeout(refresh, 1000);
}

ask("next").then((first) => { show(first); setTimeout(refresh, 500); }).catch(complain);
