-- Asks for one path again and again.
function done(summary, latency)
  local broken = summary.errors
  io.write(string.format(
    'RESULT {"seconds": %.6f, "requests": %d, "broken": %d, "p50": %.3f, "p95": %.3f, "p99": %.3f}\n',
    summary.duration / 1000000, summary.requests,
    broken.connect + broken.read + broken.write + broken.timeout + broken.status,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end
