/** `image-policy`: looks at the image before it runs, for what is better not run. */
import type { Images } from '../../domain/ports.js';
import { definePlugin } from '../../plugin/index.js';
import { growthPercent, imageFindings } from './image-rules.js';
import { OPTIONS } from './options.js';

export const imagePolicy = (images: Pick<Images, 'describe'>) =>
  definePlugin({
    name: 'image-policy',
    apiVersion: 1,
    about: 'Checks the image for root, secrets, unpinned names, missing health checks, dangerous mounts and growth.',
    options: OPTIONS,
    hooks: {
      pre_deploy: async (context) => {
        const { deployment, image, options } = context;
        const details = await images.describe(image.reference);
        if (details === undefined) {
          return context.fail('image_not_found', `The image ${image.reference} is not on this node.`);
        }
        const old = deployment.before?.image;
        const before = old === undefined ? undefined : (await images.describe(old))?.size_bytes;
        if (old !== undefined && before === undefined) {
          context.log(
            'info',
            'The image that serves now is not on this node: by how much the new one grew is not known.',
          );
        }

        const findings = imageFindings(details, deployment, options, before);
        const ignored = findings.filter(({ code }) => options.ignore.includes(code));
        findings.filter((finding) => !ignored.includes(finding)).forEach((finding) => context.report(finding));
        if (ignored.length > 0) {
          context.log('info', `Ignored as configured: ${[...new Set(ignored.map(({ code }) => code))].join(', ')}.`);
        }

        context.output('size_bytes', details.size_bytes);
        const growth = growthPercent(details.size_bytes, before);
        if (growth !== undefined) context.output('growth_percent', growth);
      },
    },
  });
