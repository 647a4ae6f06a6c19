// Loaded into a server before its own code: answers each message with the bytes that are in use once garbage is gone.
process.on('message', () => {
  globalThis.gc()
  const { heapUsed, external, rss } = process.memoryUsage()
  process.send({ used: heapUsed + external, rss })
})
// Being asked is no reason to live.
process.channel.unref()
