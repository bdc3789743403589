/** Logging in: by a token, typed or at the end of a link (`/login#token=...`, which no server ever sees). */

import { ApiError, post } from "./api.js";
import { h, text } from "./dom.js";

/**
 * @param {Element} root
 * @param {{url: import("./url.js").Url}} app
 */
export function mount(root, { url }) {
  document.body.dataset.view = "login";
  const next = safe(url.current().params.next);
  const linked = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
  if (linked) history.replaceState(null, "", url.link("/login", url.current().params));

  const token = h("input", {
    id: "token", type: "password", name: "token", autocomplete: "current-password", required: true, maxlength: 200, spellcheck: "false",
    "aria-describedby": "login-error login-help",
  });
  const error = h("p", { id: "login-error", class: "field-error", role: "alert" });
  const button = h("button", { type: "submit", class: "primary" }, "Log in");
  const form = h(
    "form", { class: "login", "aria-labelledby": "login-title" },
    h("h1", { id: "login-title" }, "outwatch"),
    h("p", { class: "lead" }, "A live watch on outsourced customer service."),
    h("input", { name: "username", autocomplete: "username", value: "outwatch", hidden: true }),
    h("label", { for: "token" }, "Token"),
    token, error, button,
    h("p", { id: "login-help", class: "help" }, "Whoever runs the desk makes one: ", h("code", {}, "outwatch desk token NAME --role viewer")),
  );

  const enter = async (value) => {
    button.disabled = true;
    text(error, "");
    try {
      await post("session", { token: value });
      location.replace(next);
    } catch (problem) {
      text(error, said(problem));
      button.disabled = false;
      token.setAttribute("aria-invalid", "true");
      token.focus();
      token.select();
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    enter(token.value.trim());
  });
  root.replaceChildren(form);
  token.focus();
  // Whoever is logged in already never comes here: the desk sends them on, so that no link makes them somebody else.
  if (linked) enter(linked);
}

function said(problem) {
  if (!(problem instanceof ApiError) || problem.status === 0) return "The desk does not answer. Try again in a moment.";
  if (problem.status === 401) return "This token is nobody\u2019s. Tokens are shown once, when they are made.";
  return problem.message;
}

/** Where to go then: an address of ours, whatever a link claims. */
function safe(next) {
  if (!next || !URL.canParse(next, location.origin)) return "/";
  const address = new URL(next, location.origin);
  return address.origin === location.origin && next.startsWith("/") ? address.pathname + address.search : "/";
}
