/* Questions to check oneself (gradem/questions.py): radio buttons in place of the folded replies.

   All replies stay in the page, so that MathJax finds their formulas. Only the reply to the option
   chosen is shown; as part of a live region it is read aloud. */

(() => {
  "use strict";

  function start(question, number) {
    const group = document.createElement("fieldset");
    const legend = document.createElement("legend");
    const replies = document.createElement("div");
    replies.setAttribute("aria-live", "polite");
    legend.append(...question.querySelector("p").childNodes);
    group.append(legend, ...question.querySelectorAll(":scope > pre"));
    for (const option of question.querySelectorAll("details")) {
      const label = document.createElement("label");
      const radio = document.createElement("input");
      const words = document.createElement("span");
      const reply = option.querySelector("p");
      radio.type = "radio";
      radio.name = `question-${number}`;
      radio.addEventListener("change", () => {
        for (const each of replies.children) each.hidden = each !== reply;
      });
      words.append(...option.querySelector("summary").childNodes);
      // a formula alone is no name for a control; its source, without the brackets, is one
      const formula = /^\\\((.*)\\\)$/.exec(words.textContent);
      if (formula) radio.setAttribute("aria-label", formula[1]);
      label.append(radio, words);
      group.append(label);
      reply.hidden = true;
      replies.append(reply);
    }
    question.replaceChildren(group, replies);
  }

  const ready = () => document.querySelectorAll("div.question").forEach(start);
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", ready);
  else ready();
})();
