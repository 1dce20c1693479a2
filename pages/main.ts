// Wires the two panels. Answers to a task that a newer one has overtaken are dropped.
import { DEMO_KEY } from "../sdk/index.ts";
import { type Checked, check, type Failure, type Labelled, weave } from "./weaver.ts";
import { describe, describeDropped, explain } from "./words.ts";

const LABEL_DIGITS = 16;

function find<T extends Element>(selector: string, within: ParentNode = document): T {
  const found = within.querySelector<T>(selector);
  if (!found) throw new Error(`The page has no ${selector}.`);
  return found;
}

/** The parts that both panels have. */
class Panel {
  readonly root: HTMLElement;
  readonly answer: HTMLElement;
  readonly #status: HTMLElement;
  readonly #failure: HTMLElement;
  #newest = 0;

  constructor(selector: string) {
    this.root = find(selector);
    this.answer = find(".answer", this.root);
    this.#status = find(".status", this.root);
    this.#failure = find(".failure", this.root);
  }

  /** Calls `use` for every file that is dropped or chosen here. */
  onFile(use: (file: File) => void): void {
    const zone = find<HTMLElement>(".drop", this.root);
    const input = find<HTMLInputElement>("input", zone);
    input.addEventListener("change", () => {
      const file = input.files?.[0];
      input.value = "";
      if (file) use(file);
    });
    this.root.addEventListener("dragover", () => zone.classList.add("over"));
    this.root.addEventListener("dragleave", () => zone.classList.remove("over"));
    this.root.addEventListener("drop", (event) => {
      zone.classList.remove("over");
      const file = event.dataTransfer?.files[0];
      if (file) use(file);
    });
  }

  /** Runs a task, tells what it is doing and how it ended; `show` and `fail` see the newest one only. */
  async run<T>(
    doing: string,
    task: Promise<T>,
    show: (result: T) => void,
    fail: (failure: Failure) => void = () => {},
  ): Promise<void> {
    const mine = ++this.#newest;
    const start = performance.now();
    this.#status.textContent = doing;
    this.#failure.hidden = true;
    this.answer.replaceChildren();
    try {
      const result = await task;
      if (mine !== this.#newest) return;
      show(result);
      this.#status.textContent = `Done in ${((performance.now() - start) / 1000).toFixed(2)} s.`;
    } catch (error) {
      if (mine !== this.#newest) return;
      this.#status.textContent = "";
      const failure = error as Failure;
      fail(failure);
      this.#showFailure(failure);
    }
  }

  #showFailure(failure: Failure): void {
    const detail = document.createElement("small");
    const sentence = explain(failure);
    const more = sentence === failure.message ? "" : `: ${failure.message}`;
    detail.textContent = failure.code + more;
    this.#failure.replaceChildren(sentence, detail);
    this.#failure.hidden = false;
  }
}

/** Shows a file in an image, and lets go of the one it showed before. */
function showFile(image: HTMLImageElement, file: Blob): void {
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(file);
}

/** A file that could not be decoded cannot be shown either, and a giant is better not shown. */
function canShow({ code }: Failure): boolean {
  return !code.startsWith("file-") && code !== "picture-too-large";
}

function showFindings(answer: HTMLElement, { findings, width, height }: Checked): void {
  const head = document.createElement("p");
  head.textContent = findings.length === 0 ? "No label was found." : "Found:";
  const list = document.createElement("ul");
  for (const { label, confidence, geometry } of findings) {
    const item = find<HTMLTemplateElement>("#finding").content.cloneNode(true) as DocumentFragment;
    find("code", item).textContent = label;
    find("p", item).textContent =
      `Confidence ${confidence.toFixed(1)} standard deviations; ${describe(geometry, width, height)}.`;
    list.append(item);
  }
  answer.replaceChildren(head, list);
}

function startLabelPanel(): void {
  const panel = new Panel("#label-panel");
  const form = find<HTMLFormElement>("#label-form");
  const text = find<HTMLInputElement>("#label-text");
  const result = find<HTMLElement>("#result");
  const facts = find<HTMLElement>("#made");
  const views = [...result.querySelectorAll<HTMLElement>("[data-view]")];
  const choices = find<HTMLFieldSetElement>(".views");
  const original = find<HTMLImageElement>("img[data-view=original]");
  const labelled = find<HTMLImageElement>("img[data-view=labelled]");
  const difference = find<HTMLCanvasElement>("canvas[data-view=difference]");
  const download = find<HTMLAnchorElement>("#download");
  let chosen: File | undefined;
  let made: Blob | undefined;

  function chooseRandom(): void {
    const [label] = crypto.getRandomValues(new BigUint64Array(1));
    text.value = label.toString(16).padStart(LABEL_DIGITS, "0");
  }

  function view(name: string): void {
    const shown = name === "both" ? ["labelled", "difference"] : [name];
    for (const each of views) each.hidden = !shown.includes(each.dataset.view ?? "");
  }

  function start(): void {
    if (!chosen || !form.reportValidity()) return;
    const file = chosen;
    result.hidden = true;
    const task = weave(file, text.value.toLowerCase());
    void panel.run(
      "Weaving the label, then testing how well it holds …",
      task,
      (outcome) => {
        showFile(original, file);
        showLabelled(file, outcome);
      },
      (failure) => {
        if (!canShow(failure)) return;
        showFile(original, file);
        showOriginalAlone();
      },
    );
  }

  function showOriginalAlone(): void {
    view("original");
    choices.hidden = true;
    facts.hidden = true;
    result.hidden = false;
  }

  function showLabelled(file: File, outcome: Labelled): void {
    made = outcome.file;
    showFile(labelled, made);
    difference.width = outcome.difference.width;
    difference.height = outcome.difference.height;
    difference.getContext("bitmaprenderer")?.transferFromImageBitmap(outcome.difference);
    download.href = labelled.src;
    download.download = file.name.replace(/(\.[^.]*)?$/, "-labelled$1");
    find("#fact-label").textContent = outcome.label;
    find("#fact-psnr").textContent = `${outcome.psnr.toFixed(1)} dB`;
    find("#fact-ssim").textContent = outcome.ssim?.toFixed(4) ?? "not measured";
    find("#fact-margin").textContent = `${(100 * outcome.margin).toFixed(0)} %`;
    find("#dropped span").textContent = describeDropped(outcome.dropped);
    find<HTMLElement>("#dropped").hidden = outcome.dropped.length === 0;
    find<HTMLElement>("#thin").hidden = !outcome.thin;
    view(find<HTMLInputElement>("input:checked", choices).value);
    choices.hidden = false;
    facts.hidden = false;
    result.hidden = false;
  }

  panel.onFile((file) => {
    chosen = file;
    find<HTMLButtonElement>("#weave").disabled = false;
    start();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    start();
  });
  choices.addEventListener("change", (event) => view((event.target as HTMLInputElement).value));
  find("#random-label").addEventListener("click", chooseRandom);
  find("#read-back").addEventListener("click", () => {
    if (!made) return;
    void panel.run("Reading …", check(made), (found) => showFindings(panel.answer, found));
  });
  chooseRandom();
}

function startCheckPanel(): void {
  const panel = new Panel("#check-panel");
  const stage = find<HTMLElement>(".stage", panel.root);
  const image = find<HTMLImageElement>("img", stage);

  function showPicture(file: File): void {
    showFile(image, file);
    stage.hidden = false;
  }

  panel.onFile((file) => {
    stage.hidden = true;
    void panel.run(
      "Looking for labels …",
      check(file),
      (found) => {
        showPicture(file);
        showFindings(panel.answer, found);
      },
      (failure) => {
        if (canShow(failure)) showPicture(file);
      },
    );
  });
}

// A picture dropped beside a panel must not replace the page.
for (const kind of ["dragover", "drop"]) {
  window.addEventListener(kind, (event) => event.preventDefault());
}
find("#demo-key").textContent = DEMO_KEY;
startLabelPanel();
startCheckPanel();
