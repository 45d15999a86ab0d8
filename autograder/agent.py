"""The sandbox's end of the bridge: look up and call what the judge names, return data.

This runs inside the learner's kernel, so the learner's code may change it or replace
it altogether. All it could gain is to send other data, and data is all the judge ever
takes. Objects that are not plain data stay here; the judge gets a number for each, a
handle, with which it can name them again.
"""

import importlib
import inspect
import itertools
import linecache

from autograder.bridge import Decoder, Encoder, WireError

MAX_TEXT = 500


class Agent:
    """Answers the requests of one test cell.

    Requests are ``["get", name]``, ``["describe", handle]`` and ``["call", function,
    arguments, keywords]``. The answer is ``["value", item]`` or ``["error", ...]``. While
    a call runs, the function called may in turn call functions of the judge that it was
    handed: that is a ``["callback", ...]`` on the way.
    """

    def __init__(self, wire, namespace):
        self.wire = wire
        self.namespace = namespace
        self.objects = {}

    def serve(self):
        """Answer requests until the judge says goodbye or closes the connection."""
        while True:
            request, frames = self.wire.receive()
            if request == ["bye"]:
                return
            self.answer(request, frames)

    def answer(self, request, frames):
        """Carry out one request and send its outcome."""
        try:
            value = self.carry_out(request, Decoder(self.resolve, frames))
            encoder = Encoder(self.refer)
            try:
                item, frames = encoder.encode(value), encoder.frames
            except WireError:        # too large, too deep or a set of objects: it stays as a whole
                item, frames = self.refer(value), []
        except BaseException as error:
            self.wire.send(["error", kind_of(error)[:60], text_of(error), line_of(error)])
            return
        try:
            self.wire.send(["value", item], frames)
        except WireError:            # too large as a message
            self.wire.send(["value", self.refer(value)])

    def carry_out(self, request, decoder):
        """The value that a request asks for."""
        if request[0] == "get":
            if request[1] not in self.namespace:
                raise NameError(f"name {request[1]!r} is not defined", name=request[1])
            return self.namespace[request[1]]
        if request[0] == "call":
            function, arguments, keywords = map(decoder.decode, request[1:])
            return function(*arguments, **keywords)
        raise WireError("unknown request")

    def refer(self, value, encode=None):
        """Keep an object, and give the item that describes it to the judge."""
        number = len(self.objects) + 1
        self.objects[number] = value
        kind = "class" if isinstance(value, type) else "function" if callable(value) else "object"
        described = [number, kind, type(value).__name__[:60], attribute(value, "__name__")[:60],
                     attribute(value, "__doc__")[:MAX_TEXT * 10], signature_of(value)]
        if encode and kind == "object" and issubclass(type(value), tuple):   # its items have names
            return ["named", [described, [encode(item) for item in tuple.__iter__(value)]]]
        return ["handle", described]

    def resolve(self, name, content, decoder):
        """The object that an item of the judge's names."""
        if name == "handle":
            return self.objects[content]
        if name == "library":
            return library(*content)
        if name == "shared":
            return self.namespace[content]
        if name == "instance":
            return instance(self.namespace[content[0]], decoder.decode(content[1]))
        if name == "callback":
            return lambda *arguments, **keywords: self.call_back(content, arguments, keywords)
        raise WireError("unknown item")

    def call_back(self, number, arguments, keywords):
        """Call a function of the judge, answering its requests while it runs."""
        encoder = Encoder(self.refer)
        items = [encoder.encode(list(arguments)), encoder.encode(keywords)]
        self.wire.send(["callback", number, *items], encoder.frames)
        while True:
            message, frames = self.wire.receive()
            if message[0] == "returned":
                return Decoder(self.resolve, frames).decode(message[1])
            if message[0] == "raised":
                raise getattr(__import__("builtins"), message[1], RuntimeError)(message[2])
            self.answer(message, frames)


def library(module, name):
    """A function of an importable module: ``library("operator", "add")``."""
    return getattr(importlib.import_module(module), name)


def instance(kind, attributes):
    """An object of a class that both sides know, with these attributes."""
    new = object.__new__(kind)
    for name, value in attributes.items():
        object.__setattr__(new, name, value)
    return new


def first(iterable, count):
    """The first items of an iterable, at most `count`, as a list."""
    return list(itertools.islice(iterable, count))


def attribute(value, name):
    """An attribute as text; '' if there is none, also where its class fails to say so."""
    try:
        return str(getattr(value, name) or "")
    except Exception:
        return ""


def text_of(error):
    """The text of an exception, or '' if its class fails to give it."""
    try:
        return str(error)[:MAX_TEXT]
    except Exception:
        return ""


def signature_of(value):
    """The parameters of a function as text, or '' if it has none that can be read."""
    try:
        return str(inspect.signature(value))[:MAX_TEXT] if callable(value) else ""
    except Exception:             # there is none, or an odd class fails to give it
        return ""


def kind_of(error):
    """The class of an exception; of one that the notebook defines, Python's that it is based on."""
    for kind in type(error).__mro__:
        if kind.__module__ == "builtins" and kind not in (Exception, BaseException, object):
            return kind.__name__
    return type(error).__name__


def line_of(error):
    """The line of the learner's cell in which an exception arose, or ''."""
    line = ""
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if "ipykernel" in file or file.startswith("<ipython-input"):
            line = linecache.getline(file, trace.tb_lineno).strip()
        trace = trace.tb_next
    return line[:200]
