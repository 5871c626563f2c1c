// SPDX-License-Identifier: Apache-2.0

/// What a person reads about `exec`, in Markdown.
let execDocumentation = """
  Runs a command. Without a guard it runs each time the resource is checked: at the start and after every event and notification. The \
  guards are, in this order, `refreshonly`, `mtimes`, `creates`, `ifcmd` and `nifcmd`; they also run in noop mode, so they must not change \
  anything. Every command runs in a session of its own, without a terminal, with an empty standard input and exactly the environment of \
  `env`.

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

  1. `refreshonly`: unless the resource was notified, the command does not run, and no other guard is asked.
  2. `mtimes`: when one of the files was modified since the last successful run, the command runs, whatever the guards below say. When none \
  was and there is no guard below, it does not.
  3. `creates`: while the path exists, the command does not run.
  4. `ifcmd`: unless it exits with status 0, the command does not run; nor when what it wrote equals `ifequals` or `ifequals_stdout`.
  5. `nifcmd`: when it exits with status 0, the command does not run.
  6. `cmd` runs, then `donecmd`.

  A command that a guard holds back is as asked. A guard that cannot be started, is ended by a signal or takes longer than `timeout` is a \
  failure, not an answer. A run counts as a change, so those that wait for notifications get one.

  ## Watching

  Events are changes of `watchfiles`, `creates` and `mtimes`, lines that `watchcmd` writes, and the ticks of `pollint`. With none of them \
  the resource is checked at the start and when it changed. A `watchcmd` that ends is a lost watch: it is \
  started again by the clock.

  ## Notifications

  A notification, over an edge with `notify: true`, is an event: the resource is checked, and `cmd` runs if the guards let it. With \
  `refreshonly` only a notification does that. One that led to a failure stays until a run has succeeded. It does not outlive the \
  agent: what must not be missed when the agent ends between a change and the command is better named in `mtimes`, which remembers.

  The plan shows a notified command as one that would run when what notifies it would be changed.

  ```yaml
  graph: notified
  resources:
    file:
    - name: config
      path: /tmp/mgmt-exec.conf
      state: exists
      content: port = 8080
    exec:
    - name: reload
      cmd: /bin/echo new configuration
      refreshonly: true
  edges:
  - from: {kind: file, name: config}
    to: {kind: exec, name: reload}
    notify: true
  ```

  ## Output

  The first 100 lines are logged while the command runs. Of each stream the first and last 512 KiB are kept, with a line between them \
  that says how much is missing. What is sent is what the last successful run wrote, also after a restart of the agent. It is remembered \
  together with what was run (`cmd`, `args`, `shell`, `cwd`, `user`, `group`, `env`), as are the times of `mtimes`: when one of these is \
  another now, nothing is remembered.

  ## Automatic edges

  Commands come after the files that are their programs (`path`, `pkgfile`): a file resource that makes the program, a package that brings \
  it. Of a program without "/" every place along the agent's PATH counts, the first that some resource bears. They come after the user \
  and group they run as (`user`, `group`).

  ## Failures

  The exit status of `cmd` and `donecmd` is 0, or the check has failed; the message has the status or signal and the last 20 lines of \
  output. A command that is stopped, because of `timeout` or of the agent's end, gets `sig`, then SIGKILL after 5 s.
  """
