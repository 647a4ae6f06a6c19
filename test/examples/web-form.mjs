import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root } from '../../scripts/project.mjs'

const URL = 'http://127.0.0.1:8302'
const FIELDS = {
  Name: 'Ada Byron',
  Telephone: '020 7946 0018',
  Reason: 'A second opinion, and nobody else’s business.',
}
const CHROMIUM = {
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
}

/**
 * Fills in the form as a patient, reads it as the practice, and checks that nothing readable went between them.
 * @param {{ picture: string, check: (isOk: boolean, title: string, output?: string) => void }} options
 * @returns {Promise<void>}
 */
export async function tryWebForm({ picture, check }) {
  const { chromium } = createRequire(join(root, 'test/runtimes/package.json'))('playwright-core')
  const browser = await chromium.launch(CHROMIUM)
  try {
    const page = await browser.newPage({ viewport: { width: 1040, height: 830 }, colorScheme: 'light' })
    page.setDefaultTimeout(20_000)
    const complaints = []
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    const posted = []
    page.on('request', (request) => request.method() === 'POST' && posted.push(request.postData()))

    await page.goto(`${URL}/form.html`)
    await fillIn(page)
    await page.getByText('The practice has not opened its inbox yet. Nothing was sent.').waitFor()
    check(posted.length === 0, 'web-form: sends nothing while there is no key to encrypt to', posted.join())
    complaints.length = 0 // The browser reports the missing key as an error of its own.

    await page.goto(URL)
    const patient = page.frameLocator('iframe').first()
    const practice = page.frameLocator('iframe').last()
    await practice.getByText('Ready. No requests yet.').waitFor()
    await fillIn(patient)
    await patient.getByText('Sent. Only the practice can read it.').waitFor()
    const card = practice.getByRole('article')
    await card.waitFor()
    const shown = await card.innerText()
    for (const [label, text] of Object.entries(FIELDS)) check(shown.includes(text), `web-form: shows ${label}`, shown)
    const held = await (await page.request.get(`${URL}/api/requests`)).text()
    check(posted.length === 1 && isSealed(posted[0]), 'web-form: sends nothing readable', posted.join())
    check(isSealed(held), 'web-form: leaves nothing readable on the server', held)
    await page.screenshot({ path: picture })

    await checkTampering(page, practice, held, check)
    await practice.locator('body').evaluate(() => location.reload())
    await practice.getByText('Ada Byron').waitFor()
    check(true, 'web-form: reads the request again after a reload, with the key that the browser kept')
    check(complaints.length === 0, 'web-form: the browser has no complaint', complaints.join('\n'))
  } finally {
    await browser.close()
  }
}

async function fillIn(patient) {
  for (const [label, text] of Object.entries(FIELDS)) await patient.getByLabel(label, { exact: true }).fill(text)
  await patient.getByLabel('Preferred day').fill('2026-12-01')
  await patient.getByRole('button', { name: 'Encrypt and send' }).click()
}

function isSealed(text) {
  const plain = text + Buffer.from(text, 'base64').toString('latin1')
  return Object.values(FIELDS).every((field) => !plain.includes(field) && !plain.includes(btoa(field.slice(0, 12))))
}

/** A server that puts one field where another belongs. */
async function checkTampering(page, practice, held, check) {
  const [request] = JSON.parse(held)
  const swapped = { ...request.fields, name: request.fields.phone, phone: request.fields.name }
  await page.request.post(`${URL}/api/requests`, { data: JSON.stringify({ id: 'swapped', fields: swapped }) })
  await practice.getByText('This request cannot be read').waitFor()
  check(true, 'web-form: does not show fields that were swapped')
}
