"""How much of real LaTeX is read, without a spec: `python -m tests.benchmarks.latex_reader displays.jsonl`.

Each line of the file is a JSON object with the LaTeX of a display under `tex`. Printed are the share that is read whole,
the milliseconds a display takes, the slowest, and what stands in the way of the rest.
"""

import json
import sys
import time
from collections import Counter

from symgen.text.latex import read_display
from symgen.text.tree import Source


def main(path, shown=12):
    with open(path, encoding="utf-8") as lines:
        texts = [json.loads(line)["tex"] for line in lines]
    why = Counter()
    seconds = []
    for text in texts:
        start = time.process_time()
        display = read_display(Source(text))
        seconds.append(time.process_time() - start)
        if display.mistake is not None:
            why[f"slip: {display.mistake.message}"] += 1
            continue
        unread = [side for chain in display.chains for side in chain.unread]
        why[unread[0].reason if unread else "read"] += 1
    total = len(texts)
    words = ("slip:", "closes nothing", "never closed", "does not close")
    slips = sum(count for word, count in why.items() if any(w in word for w in words))
    read = why.pop("read")
    print(f"{total} displays: {read} read ({read / total:.1%}), {read / (total - slips):.1%} of those with balanced brackets")
    print(f"{1000 * sum(seconds) / total:.2f} ms a display, the slowest {1000 * max(seconds):.0f} ms")
    for word, count in why.most_common(shown):
        print(f"{count:6} {word}")


if __name__ == "__main__":
    main(sys.argv[1])
