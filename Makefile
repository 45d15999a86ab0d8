# Each target is something anyone could type. `make` alone says what there is.
# Another Python: make PYTHON=python3.12 test

PYTHON ?= python3

.NOTPARALLEL:
.PHONY: help demo book zip pdf serve test notebooks exercises clean bench tour oldest newest bubblewrap chromium g++ podman postgresql

help:
	@echo "make demo       build the book, grade a simulated class, say where to look"
	@echo "make test       run all tests, the notebooks among them"
	@echo "make book       build the book into _build/html"
	@echo "make zip        pack the book and the notebooks into _build/book.zip and _build/notebooks.zip"
	@echo "make pdf        print the book into _build/book.pdf"
	@echo "make serve      show the built book at http://localhost:8000"
	@echo "make notebooks  run every chapter and every solution, and save their outputs"
	@echo "make exercises  generate exercises/ from solutions/"
	@echo "make tour       run the tools of chapter 9, each in its own environment (4 GB)"
	@echo "make bench      time gradem against other packages (some minutes)"
	@echo "make oldest     try gradem and the grader with the oldest versions of what they need"
	@echo "make newest     and with the newest; each makes an environment of its own (some minutes)"
	@echo "make clean      delete what was built (the environment stays in .venv)"

demo: bubblewrap book
	.venv/bin/autograder demo

book: .venv/ready
	.venv/bin/jupyter-book build . -W --keep-going

zip: book
	.venv/bin/python tools/pack.py

pdf: chromium .venv/ready
	.venv/bin/python tools/pdf.py

serve: book
	$(PYTHON) -m http.server --bind localhost --directory _build/html 8000

test: bubblewrap chromium g++ podman postgresql .venv/ready
	.venv/bin/pytest

notebooks: .venv/ready
	.venv/bin/python tools/nb.py execute --all

exercises: .venv/ready
	.venv/bin/python tools/release.py

bench: .venv/ready
	.venv/bin/python benchmarks/autodiff.py

tour: g++ .venv/ready
	.venv/bin/python tools/tour.py

oldest newest: bubblewrap chromium g++ podman postgresql .venv/ready
	.venv/bin/python tools/bounds.py $@

clean:
	rm -rf _build .pytest_cache .hypothesis .jupyter_cache

bubblewrap chromium g++ podman postgresql:
	@$(PYTHON) tools/system.py $@

# The environment: made at first use, brought up to date when its description changes.
.venv/ready: pyproject.toml requirements.lock
	@$(PYTHON) tools/system.py python
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --constraint requirements.lock --editable '.[course,grader,test]'
	@touch $@
