/** Style sheets of shadow trees enter the script as text. */
declare module "*.css" {
  const text: string;
  export default text;
}
