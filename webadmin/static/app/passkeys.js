// Passkeys: the browser makes or uses one, and the form carries its answer to the server.
(() => {
  "use strict";
  const has = window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON;
  const missing = "This browser has no passkeys here: they need a recent browser, and HTTPS or localhost.";
  const refused = "The browser made no passkey: it was cancelled, took too long, or exists already.";
  const unused = "No passkey was used: it was cancelled, took too long, or there is none for this host.";

  const show = (form, text) => {
    const fault = form.querySelector(".fault");
    fault.textContent = text;
    fault.hidden = false;
  };
  const send = (form, credential) => {
    form.querySelector("[data-passkey-answer]").value = JSON.stringify(credential);
    HTMLFormElement.prototype.submit.call(form);
  };
  // Two clicks must not ask twice.
  const onSubmit = (form, ask, fault) => form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      send(form, await ask());
    } catch {
      show(form, fault);
      button.disabled = false;
    }
  });

  for (const form of document.querySelectorAll("form[data-passkey-options]")) {
    if (!has) {
      show(form, missing);
      form.querySelector("button").disabled = true;
      continue;
    }
    onSubmit(form, () => navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(form.dataset.passkeyOptions)),
    }), refused);
  }

  for (const form of document.querySelectorAll("form[data-passkey-begin]")) {
    if (!has) continue;
    form.hidden = false;
    onSubmit(form, async () => {
      const answer = await fetch(form.dataset.passkeyBegin, {
        method: "POST", headers: { "X-CSRFToken": form.elements.csrf_token.value },
      });
      if (!answer.ok) throw new Error(answer.status);
      return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(await answer.json()) });
    }, unused);
  }
})();
