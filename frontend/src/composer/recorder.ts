/** Records speech with the microphone. */

export interface Recording {
  /** The current sound level, from 0 to 1. */
  level: () => number
  /** Stop, and return the recording; `null` if it is empty. */
  stop: () => Promise<Blob | null>
  cancel: () => void
}

/** The audio types that ChatKit servers accept, the best first. */
const KINDS = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/mp4', 'audio/webm']

/** Start recording. Rejects if the microphone cannot be used. */
export async function record(): Promise<Recording> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true })
  const release = (): void =>
    stream.getTracks().forEach((track) => {
      track.stop()
    })
  try {
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind))
    const recorder = new MediaRecorder(stream, mimeType === undefined ? {} : { mimeType })
    const chunks: Blob[] = []
    recorder.ondataavailable = ({ data }) => chunks.push(data)
    const meter = meterOf(stream)
    recorder.start()
    const end = (): void => {
      meter.close()
      release()
    }
    return {
      level: meter.level,
      stop: () =>
        new Promise((resolve) => {
          recorder.onstop = () => {
            end()
            const blob = new Blob(chunks, { type: recorder.mimeType })
            resolve(blob.size > 0 ? blob : null)
          }
          // The recorder has stopped itself if the microphone was removed.
          if (recorder.state === 'inactive') recorder.onstop(new Event('stop'))
          else recorder.stop()
        }),
      cancel: () => {
        recorder.ondataavailable = null
        if (recorder.state !== 'inactive') recorder.stop()
        end()
      },
    }
  } catch (error) {
    release()
    throw error
  }
}

function meterOf(stream: MediaStream): { level: () => number; close: () => void } {
  const context = new AudioContext()
  const analyser = context.createAnalyser()
  analyser.fftSize = 512
  context.createMediaStreamSource(stream).connect(analyser)
  const samples = new Uint8Array(analyser.fftSize)
  return {
    level: () => {
      analyser.getByteTimeDomainData(samples)
      const loudest = samples.reduce((most, each) => Math.max(most, Math.abs(each - 128)), 0)
      // The square root makes quiet sounds visible, too.
      return Math.sqrt(Math.min(1, loudest / 128))
    },
    close: () => void context.close(),
  }
}

/** Return the content of a blob in Base64, for JSON. */
export function base64Of(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ''))
    reader.onerror = () => reject(reader.error ?? new Error('The recording could not be read.'))
    reader.readAsDataURL(blob)
  })
}
