import{a,b}from"./chunk-X7YC7AEJ.js";export{a as Push,b as renewPush};
