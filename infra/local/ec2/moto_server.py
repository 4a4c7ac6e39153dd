"""moto's EC2 on a loopback port, which it prints. It ends with its standard input.

moto starts another instance for each RunInstances; EC2 answers a client token it knows by the instances it has started,
and refuses it for another request or when they are gone. Types named in the arguments have no capacity.

One request after the other: moto walks its dictionaries while another thread changes them, and then answers 500.
"""

import os
import sys
import threading
from contextlib import closing
from logging import ERROR, getLogger

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses.instances import InstanceResponse
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

NO_CAPACITY = set(sys.argv[1:])
run_instances = InstanceResponse.run_instances
turn = threading.Lock()
tokens = {}


def run_once(self):
    token = self._get_param("ClientToken")
    kind = self._get_param("InstanceType", "m1.small")
    asked = dict(self.querystring)
    known = tokens.get(token)
    if known is None:
        if kind in NO_CAPACITY:
            raise EC2ClientError(
                "InsufficientInstanceCapacity",
                f"We currently do not have sufficient {kind} capacity in the Availability Zone you requested.",
            )
        known = tokens[token] = (asked, run_instances(self))
    before, answer = known
    if before != asked:
        raise EC2ClientError(
            "IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent with arguments used in previous request(s)."
        )
    if all(instance.state == "terminated" for instance in answer.result.instances):
        raise EC2ClientError(
            "IdempotentInstanceTerminated",
            "The request to launch an instance used the same client token as a previous request for which the instance has been terminated.",
        )
    return answer


def one_at_a_time(app):
    def application(environ, start_response):
        # The body is whole before another has its turn: a client that reads slowly holds nobody up.
        with turn, closing(app(environ, start_response)) as body:
            return list(body)

    return application


def die_with_stdin():
    while sys.stdin.read(1024):
        pass
    os._exit(0)


InstanceResponse.run_instances = run_once
getLogger("werkzeug").setLevel(ERROR)
app = one_at_a_time(DomainDispatcherApplication(create_backend_app))
server = make_server("127.0.0.1", 0, app, threaded=True)
threading.Thread(target=die_with_stdin, daemon=True).start()
print(server.port, flush=True)
server.serve_forever()
