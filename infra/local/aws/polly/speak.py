"""Speaks by eSpeak NG. Each line of standard input is a JSON object, each is answered by one line; it ends with its
standard input.

First it says {"rate": samples a second}. A request is {"text", "voice", "pitch", "wordsPerMinute"}: a voice of eSpeak's, such as
"gmw/en+f3", pitch from 0 to 100. The answer is {"pcm": 16-bit mono in base64, "events": [[kind, index, sample], ...]}, where kind
is "word" (it begins; index counts the code points of the text from 0) or "end" (of a clause, its pause not yet over), or
{"error"}.

eSpeak's synthesiser carries state from one text to the next, which moves words by a millisecond. So each request is spoken by a
fork that has never spoken: the same request always has the same answer, and nothing but that answer is lost when eSpeak fails.
"""

import base64
import ctypes
import json
import os
import signal
import sys
import threading
import time

import espeakng_loader

# speak_lib.h
AUDIO_OUTPUT_SYNCHRONOUS = 2
POS_CHARACTER = 1
CHARS_UTF8 = 1
MOST_SECONDS = 30
RATE = 1
PITCH = 3
EVENT_LIST_TERMINATED = 0
KINDS = {1: "word", 5: "end"}


class Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", Id),
    ]


pcm = bytearray()
events = []


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))
def take(samples, count, found):
    if samples and count > 0:
        pcm.extend(ctypes.string_at(samples, count * 2))
    index = 0
    while found[index].type != EVENT_LIST_TERMINATED:
        kind = KINDS.get(found[index].type)
        if kind is not None:
            events.append([kind, found[index].text_position - 1, found[index].sample])
        index += 1
    return 0


def speak(library, request):
    if library.espeak_SetVoiceByName(request["voice"].encode()) != 0:
        return {"error": "eSpeak has no voice " + request["voice"]}
    library.espeak_SetParameter(PITCH, request["pitch"], 0)
    library.espeak_SetParameter(RATE, request["wordsPerMinute"], 0)
    text = request["text"].encode("utf-8", "replace")
    size = ctypes.c_size_t(len(text) + 1)
    failed = library.espeak_Synth(text, size, 0, POS_CHARACTER, 0, CHARS_UTF8, None, None)
    if failed != 0:
        return {"error": "eSpeak could not speak: %d" % failed}
    return {"pcm": base64.b64encode(pcm).decode(), "events": events}


def answer(library, line):
    """By a fork, which nobody waits for longer than MOST_SECONDS."""
    child = os.fork()
    if child == 0:
        signal.alarm(MOST_SECONDS)
        print(json.dumps(speak(library, json.loads(line))), flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status != 0:
        print(json.dumps({"error": "eSpeak failed: %d" % status}), flush=True)


def die_with_parent(parent):
    """While it waits for a fork it does not read."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


def main():
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
    if rate <= 0:
        sys.exit("eSpeak could not be initialised: %d" % rate)
    library.espeak_SetSynthCallback(take)
    threading.Thread(target=die_with_parent, args=(os.getppid(),), daemon=True).start()
    print(json.dumps({"rate": rate}), flush=True)
    for line in sys.stdin:
        answer(library, line)


main()
