/** Bodies and answers of the routes of registries. */
import { IsBoolean, Matches, MaxLength, ValidateBy } from 'class-validator';
import { registryAddress } from '../../domain/registry-address.js';
import { IsName, MayBeLeftOut } from '../deployments/index.js';

const NAME_LENGTH = 50;

export class RegistryParams {
  @IsName(NAME_LENGTH, 'name must be the name of a registry') name!: string;
}

export class StoreRegistryDto {
  @IsName(NAME_LENGTH) name!: string;

  /** `https://host[:port]/prefix`; the login stands in its own fields. */
  @ValidateBy({
    name: 'isRegistryUrl',
    validator: {
      validate: isRegistryUrl,
      defaultMessage: () =>
        'url must look like https://host[:port]/prefix, with a lower-case prefix and without a login',
    },
  })
  @MaxLength(500)
  url!: string;

  @MayBeLeftOut()
  @Matches(/^[\x21-\x7e]{1,200}$/, { message: 'username must be printable ASCII without spaces' })
  username?: string;

  /** Kept encrypted, never shown. */
  @MayBeLeftOut()
  @Matches(/^[^\p{C}]{1,5000}$/u, { message: 'password must be text without control characters' })
  password?: string;

  /** Whether built images are pushed there; it takes the place of the former one. */
  @MayBeLeftOut() @IsBoolean() default_push?: boolean;
}

export class RegistryView {
  name!: string;
  url!: string;
  username?: string;
  default_push!: boolean;
  /** ISO 8601 UTC. */
  created_at!: string;
}

export class RegistryListView {
  registries!: RegistryView[];
}

function isRegistryUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value) || registryAddress(value) === undefined) return false;
  const url = URL.parse(value);
  return url?.username === '' && url.password === '';
}
