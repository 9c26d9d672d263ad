"use strict";
// A filter over the policies. The page says everything without it: nothing is hidden until someone types.
(() => {
  const bar = document.getElementById("filter");
  const find = document.getElementById("find");
  const only = document.getElementById("only");
  const found = document.getElementById("found");
  const policies = Array.from(document.querySelectorAll("article.policy"));
  const texts = policies.map((policy) => policy.textContent.toLowerCase());
  const apply = () => {
    const word = find.value.trim().toLowerCase();
    let shown = 0;
    policies.forEach((policy, index) => {
      const match = texts[index].includes(word) && (!only.value || policy.dataset.verdict === only.value);
      policy.hidden = !match;
      shown += match ? 1 : 0;
    });
    found.textContent = found.dataset.text.replace("{n}", shown).replace("{total}", policies.length);
  };
  find.addEventListener("input", apply);
  only.addEventListener("change", apply);
  bar.hidden = policies.length === 0;
})();
