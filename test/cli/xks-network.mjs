// Loaded into a server under test: stands for the network, where the name of the external key store proxy leads to a
// port of this machine.
const { fetch } = globalThis
globalThis.fetch = (input, init) => {
  const { hostname, pathname } = new URL(input)
  if (hostname !== 'xks.example.test') return fetch(input, init)
  return fetch(`http://127.0.0.1:${process.env.XKS_PROXY_PORT}${pathname}`, init)
}
