"""Renders templates with Hugging Face transformers 5 (Jinja 3) and writes what comes out to expected.json.

    pip install transformers jinja2 && python make_expected.py

snippets.txt has one template a line, with \\n for newlines; the files of families/ are chat templates in the manner of
known models, written for this test.
"""

import datetime
import json
from pathlib import Path

import transformers.utils.chat_template_utils as chat

HERE = Path(__file__).parent


class Now(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 3, 7, 14, 5, 9)


chat.datetime = Now

TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}
USER = {"role": "user", "content": " Hello, wörld! \n"}
SYSTEM = {"role": "system", "content": "Be 'brief'.\nAlways."}
ASSISTANT = {"role": "assistant", "content": "<think>\nhm\n</think>\n\nHi 👋 <b>there</b>"}
AGAIN = {"role": "user", "content": "2 + 2?"}
CONVERSATIONS = [
    [USER],
    [SYSTEM, USER],
    [SYSTEM, USER, ASSISTANT, AGAIN],
    [USER, ASSISTANT, AGAIN, {"role": "assistant", "content": "4"}],
    [USER, AGAIN],
    [{"role": "wizard", "content": "?"}],
]


def render(template, messages, add_generation_prompt):
    try:
        compiled = chat._compile_jinja_template(template)
        return {"text": compiled.render(messages=messages, tools=None, documents=None,
                                        add_generation_prompt=add_generation_prompt, **TOKENS)}
    except Exception as error:
        return {"error": str(error)}


cases = []
for number, line in enumerate((HERE / "snippets.txt").read_text(encoding="utf-8").split("\n")):
    if line and not line.startswith("## "):
        template = line.replace("\\n", "\n")
        cases.append({"name": f"snippet {number + 1}", "template": template, "messages": CONVERSATIONS[2],
                      "add_generation_prompt": True} | render(template, CONVERSATIONS[2], True))
for file in sorted((HERE / "families").glob("*.jinja")):
    template = file.read_text(encoding="utf-8")
    for number, messages in enumerate(CONVERSATIONS):
        prompt = messages[-1]["role"] != "assistant"
        cases.append({"name": f"{file.stem} {number}", "family": file.stem, "messages": messages,
                      "add_generation_prompt": prompt} | render(template, messages, prompt))
(HERE / "expected.json").write_text(json.dumps(cases, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
