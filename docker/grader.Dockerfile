# The grader for instructors. In the repository's folder:
#
#     docker build --file docker/grader.Dockerfile --tag grader .
#
# then in the folder of the course, whose submissions it reads and in which it writes:
#
#     docker run --rm --interactive --tty --network none \
#         --user "$(id -u):$(id -g)" --cap-drop ALL \
#         --security-opt no-new-privileges \
#         --security-opt seccomp=unconfined \
#         --security-opt systempaths=unconfined \
#         --security-opt apparmor=unconfined \
#         --volume "$PWD:/class" grader grade 01-differences
#
# Learners' code runs in a sandbox inside, which bubblewrap makes of namespaces. A container may
# not make namespaces, nor mount a /proc in them, unless the last three options allow it: they
# take the engine's filters off, and give the container no right that its user lacks outside.

FROM docker.io/library/debian:13.6-slim

RUN apt-get update \
 && apt-get install --yes --no-install-recommends bubblewrap python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*

COPY . /source
RUN python3 -m venv /opt/grader \
 && /opt/grader/bin/pip install --no-cache-dir --constraint /source/requirements.lock \
        '/source[grader]' \
 && rm -r /source

RUN useradd --create-home grader
USER grader
# also for a user that is given by a number only
ENV HOME=/tmp
WORKDIR /class
ENTRYPOINT ["/opt/grader/bin/autograder"]
CMD ["--help"]
