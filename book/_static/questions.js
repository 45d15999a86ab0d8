/* Questions to check oneself (gradem/questions.py): radio buttons in place of the folded replies.

   The reply to the option chosen stands below the options, and is read aloud. */

(() => {
  "use strict";

  function start(question, number) {
    const text = question.querySelector("p");
    const name = `question-${number}`;
    const group = document.createElement("fieldset");
    const legend = document.createElement("legend");
    const reply = document.createElement("div");
    reply.className = "question-reply";
    reply.setAttribute("aria-live", "polite");
    legend.append(...text.childNodes);
    group.append(legend, ...question.querySelectorAll(":scope > pre"));
    question.querySelectorAll("details").forEach((option, i) => {
      const label = document.createElement("label");
      const radio = document.createElement("input");
      radio.type = "radio";
      radio.name = name;
      radio.value = i;
      const words = option.querySelector("p");
      radio.addEventListener("change", () => reply.replaceChildren(words));
      label.append(radio, ...option.querySelector("summary").childNodes);
      group.append(label);
    });
    question.replaceChildren(group, reply);
  }

  // before MathJax looks for formulas, so that it finds them where they end up
  const ready = () => document.querySelectorAll("div.question").forEach(start);
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", ready);
  else ready();
})();
