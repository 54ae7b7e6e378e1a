// Copy buttons. Without this script they stay hidden, and one click selects a value.
"use strict";

const say = document.getElementById("copied");

function select(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const items = [...source.querySelectorAll("li")].map((item) => item.textContent.trim());
  const what = button.querySelector(".unseen").textContent.trim();
  try {
    await navigator.clipboard.writeText(items.length ? items.join("\n") : source.textContent);
    button.classList.add("done");
    say.textContent = `Copied: ${what}`;
    setTimeout(() => button.classList.remove("done"), 1600);
  } catch {
    select(source);
    say.textContent = `${what} is selected; copy it with your keyboard.`;
  }
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}

const elsewhere = document.getElementById("elsewhere");
elsewhere.hidden = elsewhere.dataset.origin === location.origin;
