"""The scripts of the passkey pages: they hand what the page holds to the browser, and its answer to us. No more.

They are constants, so that the page's policy can name them by their digest; what differs stands in `data-` attributes.
"""

from typing import Final

_PARTS: Final = """
"use strict";
const form = document.querySelector("form");
const button = form.querySelector("button");
const said = document.querySelector("[role=status]");
const held = form.dataset;
const bytes = (text) => {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
};
const text = (buffer) => {
  const plain = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return plain.replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=+$/, "");
};
const known = held.passkeys.split(" ").filter(Boolean).map((id) => ({ type: "public-key", id: bytes(id) }));
const tell = (words, state) => {
  said.textContent = words;
  said.dataset.state = state;
  said.focus();
};
const again = (error) => {
  button.disabled = false;
  const why = error.name === "NotAllowedError" ? "The passkey was not used, or it took too long."
    : `The browser could not use a passkey here (${error.name}).`;
  tell(`${why} Nothing was sent. Press the button to try again.`, "again");
};
const send = async (answer) => {
  const body = JSON.stringify({ id: answer.id, rawId: text(answer.rawId), type: answer.type, response: parts(answer) });
  const headers = { "content-type": "application/json" };
  try {
    const heard = await fetch(location.pathname + held.to, { method: "POST", headers, body, redirect: "error" });
    const told = await heard.json();
    tell(told.said ?? "This did not work just now. Look at the packet in Slack.", heard.ok ? "done" : "refused");
  } catch {
    tell("The server could not be reached. Look at the packet in Slack before you try again.", "refused");
  }
};
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  await ask().then(send, again);
});
if (!window.PublicKeyCredential) {
  button.disabled = true;
  tell("This browser has no passkeys. Please open the link in another one.", "refused");
}
"""

CONFIRM: Final = (
    _PARTS
    + """
const ask = () => navigator.credentials.get({ publicKey: {
  challenge: bytes(held.challenge), rpId: held.rp, allowCredentials: known, userVerification: "required",
} });
const parts = ({ response }) => ({
  clientDataJSON: text(response.clientDataJSON),
  authenticatorData: text(response.authenticatorData),
  signature: text(response.signature),
  userHandle: response.userHandle ? text(response.userHandle) : null,
});
"""
)

CREATE: Final = (
    _PARTS
    + """
const ask = () => navigator.credentials.create({ publicKey: {
  challenge: bytes(held.challenge),
  rp: { id: held.rp, name: "Foureyes" },
  user: { id: bytes(held.handle), name: held.name, displayName: held.name },
  pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: "public-key", alg })),
  excludeCredentials: known,
  authenticatorSelection: { userVerification: "required", residentKey: "preferred" },
  attestation: "none",
} });
const parts = ({ response }) => ({
  clientDataJSON: text(response.clientDataJSON),
  attestationObject: text(response.attestationObject),
});
"""
)
