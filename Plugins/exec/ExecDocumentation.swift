// SPDX-License-Identifier: Apache-2.0

/// What a person reads about `exec`, in Markdown.
let execDocumentation = """
  Runs a command. Without a guard it runs each time the resource is checked: at the start and after every event. The guards are, in this \
  order, `mtimes`, `creates`, `ifcmd` and `nifcmd`; they also run in noop mode, so they must not change anything. Every command runs in \
  a process group of its own, with an empty standard input and exactly the environment of `env`.

  ## Example

  The first makes an archive where there is none. The second runs whenever the file changes, and its output becomes a message.

  ```yaml
  graph: exec
  resources:
    exec:
    - name: archive
      cmd: /bin/tar -cf /tmp/mgmt-exec.tar -C /usr share/doc/bash
      creates: /tmp/mgmt-exec.tar
      timeout: 60
    - name: count
      cmd: sort /etc/passwd | wc -l
      shell: /bin/sh
      env:
        PATH: /usr/bin:/bin
      watchfiles: [/etc/passwd]
    print:
    - name: users
  edges:
  - from: {kind: exec, name: count}
    to: {kind: print, name: users}
    receive: {msg: stdout}
  ```

  ## When the command runs

  1. `mtimes`: when one of the files was modified since the last successful run, the command runs, whatever the other guards say. When none \
  was and there is no other guard, it does not.
  2. `creates`: while the path exists, the command does not run.
  3. `ifcmd`: unless it exits with status 0, the command does not run; nor when what it wrote equals `ifequals` or `ifequals_stdout`.
  4. `nifcmd`: when it exits with status 0, the command does not run.
  5. `cmd` runs, then `donecmd`.

  A command that a guard holds back is as asked. A guard that cannot be started, is ended by a signal or takes longer than `timeout` is a \
  failure, not an answer. A run counts as a change, so those that wait for notifications get one.

  ## Watching

  Events are changes of `watchfiles`, `creates` and `mtimes`, lines that `watchcmd` writes, and the ticks of `pollint`. With none of them \
  the resource is checked at the start and when it changed. A `watchcmd` that ends is a failure of the watch, which the meta \
  parameter `retry` tries again.

  ## Notifications

  A notification does nothing. To run a command when a file changes, name the file in `mtimes` or `watchfiles`.

  ## Output

  The first 100 lines are logged while the command runs. Of each stream the first and last 512 KiB are kept, with a line between them \
  that says how much is missing. What is sent is what the last successful run wrote, also after a restart of the agent.

  ## Automatic edges

  Commands come after the files that are their programs (`path`, `pkgfile`): a file resource that makes the program, a package that brings \
  it. Of a program without "/" every place along the agent's PATH counts, the first that some resource bears. They come after the user \
  and group they run as (`user`, `group`).

  ## Failures

  The exit status of `cmd` and `donecmd` is 0, or the check has failed; the message has the status or signal and the last 20 lines of \
  output. A command that is stopped, because of `timeout` or of the agent's end, gets `sig`, then SIGKILL after 5 s.
  """
