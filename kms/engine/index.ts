export { createEngine } from './engine.ts'
export type { Engine, EngineOptions } from './engine.ts'
export { KmsError, type KmsExceptionName } from '../errors.ts'
export type {
  ActionInput,
  ActionName,
  ActionOutput,
  ActionTypes,
  AliasListEntry,
  CreateAliasInput,
  CreateKeyInput,
  CryptographicInput,
  DecryptInput,
  DecryptOutput,
  DescribeKeyInput,
  EncryptInput,
  EncryptOutput,
  GenerateDataKeyInput,
  GenerateDataKeyOutput,
  GenerateDataKeyWithoutPlaintextOutput,
  KeyMetadata,
  KeyMetadataOutput,
  ListAliasesInput,
  ListAliasesOutput,
  ListKeysOutput,
  PageInput,
  Tag,
} from './types.ts'
