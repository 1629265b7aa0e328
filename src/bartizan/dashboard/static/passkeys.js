// Asks this browser for a passkey: to sign in, or to make one. Without it the forms for passwords are all there is.
"use strict";
const raw = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const text = (data) =>
  btoa(String.fromCharCode(...new Uint8Array(data))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function asked(options) {
  options.challenge = raw(options.challenge);
  if (options.user) options.user.id = raw(options.user.id);
  for (const list of [options.excludeCredentials, options.allowCredentials])
    for (const one of list || []) one.id = raw(one.id);
  return options;
}

function answered(credential) {
  const [from, response] = [credential.response, {}];
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
    if (from[name]) response[name] = text(from[name]);
  return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response });
}

async function run(form) {
  const out = form.querySelector("[role=alert]");
  out.textContent = "";
  try {
    const begun = await fetch(form.dataset.passkey, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (!begun.ok) throw new Error(begun.status === 429 ? "too many tries, wait a little" : "the password is wrong");
    const publicKey = asked(await begun.json());
    const credential = await (publicKey.user
      ? navigator.credentials.create({ publicKey })
      : navigator.credentials.get({ publicKey }));
    form.elements.credential.value = answered(credential);
    if (form.elements.password) form.elements.password.value = "";
    form.submit();
  } catch (error) {
    out.textContent = `That did not work: ${error.name === "NotAllowedError" ? "no passkey was given" : error.message}.`;
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", (event) => { event.preventDefault(); run(form); });
}
