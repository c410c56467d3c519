# SPDX-License-Identifier: BSD-2-Clause
#
# The web server in three machines, as processes of Nomad's `raw_exec` driver
# on nodes that have toril-run (`make deb`); `docker` takes Containerfile's
# image instead.  Ports are Nomad's: HAProxy finds them in its service
# catalogue.
job "web" {
  type = "service"

  group "machines" {
    count = 3

    network {
      port "http" {}
      port "metrics" {}
    }

    service {
      name     = "web"
      port     = "http"
      provider = "nomad"

      check {
        type     = "http"
        path     = "/"
        interval = "2s"
        timeout  = "5s"
      }
    }

    restart {
      attempts = 10
      interval = "5m"
      delay    = "1s"
      mode     = "delay"
    }

    task "machine" {
      driver = "raw_exec"

      config {
        command = "/usr/bin/toril-run"
        args = [
          "-m", "64M",
          "-p", "0.0.0.0:${NOMAD_PORT_http}:80",
          "--metrics", "0.0.0.0:${NOMAD_PORT_metrics}",
          "-v", "/srv/www:/srv:ro",
          "/etc/toril/web/image", "-p", "80", "/srv",
        ]
      }

      kill_signal  = "SIGTERM"
      kill_timeout = "30s"

      resources {
        cpu    = 250
        memory = 192
      }
    }
  }
}
