"use strict";
(() => {
  const part = (id) => document.getElementById(id);
  const form = part("form"), notice = part("notice"), password = part("password"), again = part("again");
  const words = form.dataset;

  // The token is for us alone: not for the history, nor for whoever looks at the address.
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  history.replaceState(null, "", location.pathname + location.search);

  const say = (text, good, field) => {
    for (const each of [password, again]) each.removeAttribute("aria-invalid");
    notice.textContent = text;
    notice.className = good ? "notice good" : "notice bad";
    notice.hidden = false;
    if (field) field.setAttribute("aria-invalid", "true");
    (field || notice).focus();
  };
  const end = (text, good) => {
    form.hidden = true;
    password.value = again.value = "";
    say(text, good);
  };

  const refused = (status, problem) => {
    const least = String(problem.least || "");
    switch (problem.code) {
      case "LINK_ENDED": return end(words.ended, false);
      case "PASSWORD_TOO_SHORT": return say(words.short.replace("{least}", least), false, password);
      case "PASSWORD_TOO_LONG": return say(words.long, false, password);
      case "PASSWORD_TOO_COMMON": return say(words.common, false, password);
    }
    say(status === 429 ? words.many : words.away, false);
  };

  const send = async () => {
    let answer, problem = {};
    try {
      answer = await fetch("../api/v1/admin/auth/reset", {
        method: "POST", headers: {"Content-Type": "application/json"}, credentials: "omit", cache: "no-store",
        redirect: "error", body: JSON.stringify({token: token, newPassword: password.value}),
      });
      if (answer.status === 204) return end(words.done, true);
      problem = await answer.json();
    } catch (error) {
      return say(words.away, false);
    } finally {
      part("save").disabled = false;
    }
    refused(answer.status, problem);
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!password.value) return say(words.missing, false, password);
    if (password.value !== again.value) return say(words.differ, false, again);
    part("save").disabled = true;
    send();
  });
  part("show").addEventListener("change", (event) => {
    for (const each of [password, again]) each.type = event.target.checked ? "text" : "password";
  });

  if (!token) return say(words.nolink, false);
  form.hidden = false;
  password.focus();
})();
