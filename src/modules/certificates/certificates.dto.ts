/** Parameters and bodies of the certificate routes. */
import { ArrayMaxSize, ArrayNotEmpty, IsArray, IsIn, IsString, Matches, MaxLength, ValidateIf } from 'class-validator';
import { REVOCATION_REASONS, type RevocationReason } from '../../domain/ports.js';
import { HOST_NAME, MOST_HOSTS } from './own-certificate.js';

const NAME = /^(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const NAME_MESSAGE = '$property must be lower case letters, digits and single dashes between them';
const LONGEST_NAME = 50;
const LONGEST_CHAIN = 65_536;
const LONGEST_KEY = 16_384;

/** Unlike IsOptional no null. */
const MayBeLeftOut = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);

export class CertificateParams {
  @Matches(/^[\w-]{1,64}$/, { message: 'id must be a certificate id' }) id!: string;
}

export class CertificateAppParams {
  @Matches(NAME, { message: 'name must be an app name' }) @MaxLength(LONGEST_NAME) name!: string;
}

export class CertificatesQuery {
  @MayBeLeftOut()
  @Matches(NAME, { message: 'app_name must be an app name' })
  @MaxLength(LONGEST_NAME)
  app_name?: string;
}

export class AppCertificatesQuery {
  @MayBeLeftOut() @Matches(NAME, { message: NAME_MESSAGE }) @MaxLength(LONGEST_NAME) environment?: string;
}

export class OwnCertificateDto {
  /** PEM: the certificate, then each one's issuer. */
  @IsString() @MaxLength(LONGEST_CHAIN) certificate!: string;
  /** PEM, without a passphrase. It is kept encrypted and never shown. */
  @IsString() @MaxLength(LONGEST_KEY) private_key!: string;
  /** Left out: production. */
  @MayBeLeftOut() @Matches(NAME, { message: NAME_MESSAGE }) @MaxLength(LONGEST_NAME) environment?: string;
  /** The names it shall be served for; left out: all that it is for. */
  @MayBeLeftOut()
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(MOST_HOSTS)
  @Matches(HOST_NAME, { each: true, message: 'each value in hosts must be a host name in lower case' })
  hosts?: string[];
}

export class RevocationQuery {
  /** What the authority is told; left out: unspecified. */
  @MayBeLeftOut() @IsIn(REVOCATION_REASONS) reason?: RevocationReason;
}
