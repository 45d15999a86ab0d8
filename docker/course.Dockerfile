# The course for learners: chapters, exercises and JupyterLab. In the repository's folder:
#
#     docker build --file docker/course.Dockerfile --tag course .
#     docker run --rm --publish 127.0.0.1:8888:8888 \
#         --volume course:/home/learner/course course
#
# It needs no privileges. What a learner writes stays in the volume named `course`.

FROM docker.io/library/debian:13.6-slim

# chapters 4 and 5 compile C and C++
RUN apt-get update \
 && apt-get install --yes --no-install-recommends g++ python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home learner
USER learner
WORKDIR /home/learner/course
COPY --chown=learner . .

RUN python3 -m venv /home/learner/venv
ENV PATH=/home/learner/venv/bin:$PATH
# again for JupyterLab's terminals, which are login shells: these begin with a path of their own
RUN echo 'PATH=/home/learner/venv/bin:$PATH' >> /home/learner/.profile
RUN pip install --no-cache-dir --constraint requirements.lock --editable '.[course,tour]'

EXPOSE 8888
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser"]
