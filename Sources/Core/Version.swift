/// What this build calls itself, in `--version`, in metrics and to upstreams.
package let refrainVersion = "0.1.0"
