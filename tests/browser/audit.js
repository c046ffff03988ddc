// What a look at a screen finds at once: sideways scrolling, cut words, targets too small to touch.
(isTouched) => {
  const TARGET_PX = 44;
  const found = [];
  const name = (element) =>
    `<${element.tagName.toLowerCase()}> ${(element.getAttribute("aria-label") ?? element.textContent ?? "").trim().slice(0, 60)}`;
  const isSeen = (element) => element.checkVisibility({ checkOpacity: false, checkVisibilityCSS: true });
  // innerWidth is no measure: a phone zooms out of a page that is too wide, and it grows with it.
  const { scrollWidth: width, clientWidth } = document.documentElement;
  if (width > clientWidth) found.push(`the page is ${width} px wide`);

  for (const element of document.querySelectorAll("body *")) {
    const style = getComputedStyle(element);
    const isCut = element.scrollWidth > element.clientWidth + 1;
    const hides = style.overflowX === "hidden" || style.overflowX === "clip";
    const isSmall = element.clientWidth <= 1;
    if (isCut && hides && !isSmall && style.textOverflow !== "ellipsis" && isSeen(element)) {
      found.push(`cut: ${name(element)}`);
    }
    const mayScroll = element.matches("pre, .table-scroll, math, input, textarea, select");
    if (isCut && style.overflowX === "auto" && !mayScroll && isSeen(element)) {
      found.push(`scrolls sideways: ${name(element)}`);
    }
  }

  // A link inside a sentence is as high as its line; a field may be touched through its label.
  const isInSentence = (element) =>
    element.tagName === "A" && getComputedStyle(element).display === "inline";
  const areaOf = (element) => {
    const label = element.closest("label") ?? element.labels?.[0];
    const boxes = [element, label].filter(Boolean).map((one) => one.getBoundingClientRect());
    return {
      width: Math.max(...boxes.map((box) => box.width)),
      height: Math.max(...boxes.map((box) => box.height)),
    };
  };
  const targets = "a[href], button, input, select, textarea, summary, [role=menuitem]";
  for (const element of isTouched ? document.querySelectorAll(targets) : []) {
    if (!isSeen(element) || isInSentence(element) || element.closest(".sr-only")) continue;
    const area = areaOf(element);
    if (area.height <= 1) continue;
    if (area.width < TARGET_PX - 0.5 || area.height < TARGET_PX - 0.5) {
      found.push(`small: ${name(element)} ${Math.round(area.width)}×${Math.round(area.height)}`);
    }
  }
  return found;
};
