// Checks one record against the last signed checkpoint in this browser (RFC 6962, section 2.1.1; C2SP signed-note).
"use strict";
const bytes = (hex) => Uint8Array.from(hex.match(/../g) || [], (one) => parseInt(one, 16));
const base64 = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
const hex = (data) => Array.from(data, (one) => one.toString(16).padStart(2, "0")).join("");
const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => Array.from(part)));
const sha256 = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));
const parent = (left, right) => sha256(joined([1], left, right));

async function rootOf(leaf, seq, size, path) {
  let [index, last, root] = [seq, size - 1, leaf];
  for (const sibling of path) {
    if (last === 0) throw new Error("the proof is longer than the tree is high");
    if (index % 2 === 1 || index === last) {
      root = await parent(sibling, root);
      while (index % 2 === 0 && index !== 0) { index = Math.floor(index / 2); last = Math.floor(last / 2); }
    } else {
      root = await parent(root, sibling);
    }
    index = Math.floor(index / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) throw new Error("the proof is shorter than the tree is high");
  return root;
}

async function signed(note, key) {
  const [text, lines] = [note.slice(0, note.indexOf("\n\n") + 1), note.slice(note.indexOf("\n\n") + 2)];
  const raw = base64(key.split("+").slice(2).join("+"));
  const signature = base64(lines.trim().split(" ").pop()).slice(4);
  const imported = await crypto.subtle.importKey("raw", raw.slice(1), { name: "Ed25519" }, false, ["verify"]);
  return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, new TextEncoder().encode(text));
}

async function check(button) {
  const out = document.getElementById("checked");
  const say = (text, tone) => { out.textContent = text; out.className = tone; };
  try {
    const answer = await fetch(button.dataset.proof);
    if (!answer.ok) { say("No checkpoint covers this record yet; one is signed within a second.", "warn"); return; }
    const proof = await answer.json();
    const leaf = await sha256(joined([0], base64(proof.record)));
    if (hex(leaf) !== proof.leaf) { say("NOT INTACT: the record is not what its leaf commits to.", "bad"); return; }
    const root = await rootOf(leaf, proof.seq, proof.size, proof.path.map(bytes));
    if (hex(root) !== hex(base64(proof.note.split("\n")[2]))) {
      say("NOT INTACT: the record is not in the log that the checkpoint signs.", "bad"); return;
    }
    if (!(await signed(proof.note, proof.key))) { say("NOT INTACT: the checkpoint's signature does not hold.", "bad"); return; }
    say(`Checked here: record ${proof.seq} is in the log of ${proof.size} records that the checkpoint signs.`, "good");
  } catch (error) {
    say(`Could not check: ${error.message}`, "warn");
  }
}

for (const button of document.querySelectorAll("button[data-proof]")) button.addEventListener("click", () => check(button));
