// Paper is white and does not unfold. While a page is printed it is light, and what is folded
// stands open; only hints stay folded, as they were asked for or not.
let undo = [];

addEventListener("beforeprint", () => {
  const root = document.documentElement;
  const theme = root.dataset.theme;
  root.dataset.theme = "light";
  const folded = [...document.querySelectorAll("article details:not([open], .hint)")];
  folded.forEach((each) => each.open = true);
  undo.push(() => {
    root.dataset.theme = theme;
    folded.forEach((each) => each.open = false);
  });
});

addEventListener("afterprint", () => {
  undo.forEach((step) => step());
  undo = [];
});
