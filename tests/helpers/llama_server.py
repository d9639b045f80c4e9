"""llama.cpp's own server, by xllamacpp, with its defaults: `llama_server.py WEIGHTS.gguf PORT`."""

import sys
import threading

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.hostnames = ["127.0.0.1"]
params.port = int(sys.argv[2])
params.n_parallel = 4
params.n_ctx = 4096
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
threading.Event().wait()
