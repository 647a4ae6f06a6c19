// Loads the suite where the page's query says: in the page itself or in a worker.
const report = (error) => fetch('/report', { method: 'POST', body: JSON.stringify({ error: String(error) }) })

const places = {
  page: () => import('./page.js'),
  worker: () => {
    const worker = new Worker('./page.js', { type: 'module' })
    worker.onerror = (event) => report(event.message)
  },
  'service-worker': () => navigator.serviceWorker.register('./service-worker.js'),
}

Promise.resolve()
  .then(places[location.search.slice(1) || 'page'])
  .catch(report)
