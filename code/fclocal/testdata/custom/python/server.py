# A function in Python: it answers with its event, and fails on one that is "fail".
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, body, status=200, fc_status=None):
        self.send_response(status)
        if fc_status:
            self.send_header("x-fc-status", fc_status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        event = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        print(self.path, self.headers.get("x-fc-request-id"), flush=True)
        if self.path != "/invoke":
            self.answer(b"")
        elif event == b'"fail"':
            self.answer(b'{"errorMessage": "as told", "errorType": "ValueError"}', 404, "404")
        elif event == b'"hide"':
            self.answer(b"it went wrong", 500)
        elif event == b'"where"':
            self.answer(f"{os.getcwd()} {os.environ['PYTHONPATH']} {self.headers.get('x-fc-function-name')}".encode())
        else:
            self.answer(event, fc_status="200")

    def do_GET(self):
        print(self.path, self.headers.get("x-fc-request-id"), flush=True)
        self.answer(b"")

    def log_message(self, *arguments):
        pass


port = int(os.environ.get("INSIST") or os.environ["FC_SERVER_PORT"])
ThreadingHTTPServer.request_queue_size = 100
ThreadingHTTPServer(("0.0.0.0", port), Handler).serve_forever()
