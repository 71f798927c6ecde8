/** What bsdtar 3.6.2 packed, in base64 and gzip: machines without it read that too. */
export const BSDTAR: Readonly<Record<string, string>> = {
  pax:
    'H4sIAAAAAAACA+2ZTU7DMBCFs+YURuyTGY8dlwV7lr1CoBGtoClKU6kcqefgYiQsSn+gIRVOMLxvE1WTqIlG7z3bM87Wt3k2' +
    'ycvkflWWeVFNZmX0wxCRs1Y115rDKxGLVmyluc2kOlXEllkitY56YLWssrJ+lXKxqE7d11Y//LhAEFL31Wye37C7tnwtWkbx' +
    'yI3qRpBJL+pqdlRNSSynbtRU518/G4EAiBP//9Gm/+bHvv6ZnYmUhf576P94mwBPs+LRV/+d6+L/hoTg/8P5vznl/7vV+ddV' +
    'eGsY+vel+u/r/9j/hURHSmdxta6g/778f+KH1vwXcfv9F1PvAOD/fcAi6jmrpjexr/a3klx8HkJ0chOSngwhQgh9V//++9t5' +
    '/S9Gs8P6v2//z+fP1csA+79P1v9aW/j/YOv/XXPtar3bKrw1DP2/q97rKVD38x8tzfof/t+v/5erIl5Of4X/Cxn4/3D+r88/' +
    '/99W4a1h6N+X6jv4P+tj/6dIEfTvnavL5G5WJMsp9PpP9f+R/76OW2s9pMZ0yn/WGvk/XP7vJDzy/4/r3/+QpU3/ROYw/9k4' +
    '5H8fLIocSv3HfKT/62Yo/Yvhff0b0Wno87/h5mmdPp/FDj7/e92cMwHcrWICeC7+VN8l/+2B/lnIBp7/gej/aVE8QCMAAAAA' +
    'AAAAAAAAAAAAAAAAAAAAAOHyBvjGYYMAUAAA',
  gnutar:
    'H4sIAAAAAAACA+2XS07DMBRFPWYVRsxtP8efKQvIJoqISEVIUOIKWFLX0Y3hdIBEIwId2C3JPRNHiWfH1zdPSJYcFfHWHtfI' +
    '6Xp8JluMu4zTLr73ngzjlmVgN4RNzznruy7M7fvt+z9FyGbbPmfw7/3f/RNZqxnXGxHeA/yn9S/kfdm1T2W6Y/CD9y//5M23' +
    'sxD9e1KMl9eU/7e6qpol+n+8EJKBdfg/u/+LQmn0fyb/1ctr+EgaxrP9E6mx/+E/h/9+14qhvqh/0lP/sf8V/Cfn7lY+bFs5' +
    '1DfownX2f/oha4y4M2bm/jcn+VfOeeQ/B11bIfmrzv81zP9uOv9rzP8Ln/8Pe8RvNfP/fP/b6fxP6P8cNPHqxw8AAAAAAAAA' +
    'ACyfT2yrmX8AKAAA',
}
